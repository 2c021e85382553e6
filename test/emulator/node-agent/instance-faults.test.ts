import { describe, expect, it } from '@jest/globals';
import { instanceFaults } from '../../../src/emulator/node-agent/instance-faults.ts';
import { migCard } from '../../../src/emulator/node-agent/mig-cards.ts';
import type { LiveInstance } from '../../../src/emulator/node-agent/mig-instances.ts';
import type { ContainerRole } from '../../../src/model/container-role.ts';
import { makeDevice } from '../../support/views.ts';

const card = makeDevice({ id: 'GPU-a', mode: 'mig', migProfiles: migCard('A100-40GB').migProfiles });

function instanceAt(start: number, fields: Partial<LiveInstance> = {}): LiveInstance {
  return {
    deviceId: 'GPU-a',
    podUid: 'uid-1',
    profile: '2g.10gb',
    placement: { start, size: 2 },
    migUuid: `MIG-${start}`,
    gpuInstanceId: 0,
    computeInstanceId: 0,
    ...fields,
  };
}

const right = { vendor: 'NVIDIA', deviceId: 'GPU-a', memoryMiB: 9984, corePercent: 29 };

describe('instanceFaults', () => {
  const cases: {
    name: string;
    given: LiveInstance;
    held: LiveInstance;
    roles?: readonly [ContainerRole, ContainerRole];
    want: number;
  }[] = [
    { name: 'accepts instances side by side', given: instanceAt(2), held: instanceAt(4), want: 0 },
    { name: 'reports an overlap', given: instanceAt(2), held: instanceAt(1), want: 1 },
    {
      name: 'accepts the same slices of different cards',
      given: instanceAt(2),
      held: instanceAt(2, { deviceId: 'GPU-b' }),
      want: 0,
    },
    { name: 'reports one instance in two hands', given: instanceAt(2), held: instanceAt(2), want: 1 },
    {
      name: 'accepts one instance for an init container and its successor',
      given: instanceAt(2),
      held: instanceAt(2),
      roles: ['app', 'init'],
      want: 0,
    },
    {
      name: 'reports different instances of an init container and its successor that overlap',
      given: instanceAt(2),
      held: instanceAt(2, { migUuid: 'MIG-other' }),
      roles: ['app', 'init'],
      want: 1,
    },
  ];
  it.each(cases)('$name', ({ given, held, roles: [role, heldRole] = ['app', 'app'], want }) => {
    const faults = instanceFaults(
      { role, shares: [right], instances: [given] },
      [{ instance: held, role: heldRole }],
      [card],
    );
    expect(faults).toHaveLength(want);
  });

  it('reports one instance given twice to one container', () => {
    const twice = {
      role: 'init',
      shares: [right, right],
      instances: [instanceAt(2), instanceAt(2)],
    } as const;
    expect(instanceFaults(twice, [], [card])).toHaveLength(1);
  });

  const wrong = [
    { name: 'memory', share: { ...right, memoryMiB: 8000 }, want: '8000 MiB, 29 %' },
    { name: 'compute', share: { ...right, corePercent: 0 }, want: '9984 MiB, 0 %' },
  ];
  it.each(wrong)('reports $name that is not the profile’s', ({ share, want }) => {
    const faults = instanceFaults({ role: 'app', shares: [share], instances: [instanceAt(2)] }, [], [card]);
    expect(faults).toEqual([expect.stringContaining(want)]);
  });
});
