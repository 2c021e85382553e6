import { describe, expect, it } from '@jest/globals';
import { migCard, type MigModel } from '../../../src/emulator/node-agent/mig-cards.ts';
import { devicesOf } from '../../../src/emulator/node-agent/node-description.ts';
import { formatRegister } from '../../../src/emulator/node-agent/register-annotation.ts';
import { migCard as migExample } from '../../vendors/register-examples.ts';

const machine = { name: 'n1', cpu: '8', memory: '32Gi' };

describe('migCard', () => {
  it('is registered by a v2.10 plugin as in spec §1.2, byte for byte', () => {
    const card = { ...migCard('A100-40GB', ['1g.5gb', '2g.10gb']), id: 'GPU-a' };
    expect(formatRegister(devicesOf({ ...machine, gpus: [card] }, 'NVIDIA'))).toBe(migExample);
  });

  const models: { model: MigModel; wantSlots: number; wantCores: readonly number[] }[] = [
    { model: 'A30', wantSlots: 4, wantCores: [25, 50, 100] },
    { model: 'A100-40GB', wantSlots: 7, wantCores: [15, 29, 43, 100] },
    { model: 'A100-80GB', wantSlots: 7, wantCores: [15, 29, 43, 100] },
    { model: 'H100-80GB', wantSlots: 7, wantCores: [13, 25, 46, 100] },
  ];
  it.each(models)('$model has as many slots as smallest instances', ({ model, wantSlots, wantCores }) => {
    const [device] = devicesOf({ ...machine, gpus: [migCard(model)] }, 'NVIDIA');
    expect(device).toMatchObject({ slots: wantSlots, corePercent: 100, mode: 'mig' });
    expect(device?.migProfiles?.map(({ corePercent }) => corePercent)).toEqual(wantCores);
    for (const { memoryMiB } of device?.migProfiles ?? []) {
      expect(memoryMiB).toBeLessThanOrEqual(device!.memoryMiB);
    }
  });

  it('has slots for its largest number of allowed instances', () => {
    const [device] = devicesOf(
      { ...machine, gpus: [migCard('A100-40GB', ['3g.20gb', '7g.40gb'])] },
      'NVIDIA',
    );
    expect(device?.slots).toBe(2);
  });

  it('refuses a profile that the model does not have', () => {
    expect(() => migCard('A30', ['1g.5gb'])).toThrow('no profile 1g.5gb');
  });

  it('is not scaled, and its profiles are not told by plugins before v2.10', () => {
    const plugin = { memoryScaling: 2, coreScaling: 3, version: '2.9' } as const;
    const [device] = devicesOf({ ...machine, gpus: [migCard('A30')], plugin }, 'NVIDIA');
    expect(device).toMatchObject({ memoryMiB: 24_576, corePercent: 100, mode: 'mig' });
    expect(device).not.toHaveProperty('migProfiles');
  });
});
