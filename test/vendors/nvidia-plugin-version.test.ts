import { describe, expect, it } from '@jest/globals';
import { registerOf } from '../migration/hami-objects.ts';
import { nvidia } from './nvidia-config.ts';

const csv = (value: string) => ({ 'hami.io/node-nvidia-register': value });
const reported = { 'hami.io/node-handshake': 'Reported 2024-01-23 04:30:04.434037031 +0000 UTC m=+1.77' };

describe('pluginVersion', () => {
  it.each([
    { name: 'no register tells nothing', annotations: {}, want: undefined },
    {
      name: 'seven fields are the oldest form',
      annotations: csv('GPU-a,10,7680,100,NVIDIA-Tesla P4,0,true:'),
      want: { versions: 'v2.4 or older', because: 'CSV register of 7 fields', beforeV28: true },
    },
    {
      name: 'nine fields are v2.5 to v2.7',
      annotations: { ...csv('GPU-a,10,7680,100,NVIDIA-Tesla P4,0,true,1,hami-core:'), ...reported },
      want: { versions: 'v2.5 to v2.7', because: 'CSV register of 9 fields', beforeV28: true },
    },
    {
      name: 'devicepairscore is v2.8 or v2.9',
      annotations: registerOf({ id: 'GPU-a', devicepairscore: {} }),
      want: { versions: 'v2.8 or v2.9', because: 'JSON register with devicepairscore', beforeV28: false },
    },
    {
      name: 'JSON without it is v2.10 or later',
      annotations: registerOf({ id: 'GPU-a' }),
      want: {
        versions: 'v2.10 or later',
        because: 'JSON register without devicepairscore',
        beforeV28: false,
      },
    },
    {
      name: 'profiles are v2.10 or later',
      annotations: registerOf({ id: 'GPU-a', migProfiles: [] }),
      want: { versions: 'v2.10 or later', because: 'JSON register with migProfiles', beforeV28: false },
    },
    {
      name: 'an old handshake beside a new register is left over',
      annotations: { ...registerOf({ id: 'GPU-a', devicepairscore: {} }), ...reported },
      want: {
        versions: 'v2.8 or v2.9',
        because: 'JSON register with devicepairscore; the handshake is one of a plugin up to v2.7, left over',
        beforeV28: false,
      },
    },
    { name: 'what nobody writes tells nothing', annotations: csv('[{'), want: undefined },
    { name: 'nor do other numbers of fields', annotations: csv('GPU-a,1:'), want: undefined },
    { name: 'nor does JSON that is no list', annotations: csv('{}'), want: undefined },
  ])('$name', ({ annotations, want }) => {
    expect(nvidia().pluginVersion?.(annotations)).toEqual(want);
  });
});
