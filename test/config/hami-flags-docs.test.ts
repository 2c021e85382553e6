/** `docs/hami-scheduler.md` says of every flag what becomes of it. UPDATE_GOLDEN=1 rewrites its table. */
import { readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { flagName } from '../../src/config/go-flags.ts';
import { hamiFlags } from '../../src/config/hami-flag-table.ts';
import { configSchema } from '../../src/config/schema.ts';
import { listSettings } from '../../src/wire/setting-schema.ts';

const file = new URL('../../docs/hami-scheduler.md', import.meta.url);
const ignoreEnd = '<!-- prettier-ignore-end -->';
const tablePlace = /(<!-- flags: .* -->\n)([^]*)$/;

function renderFlags(): string {
  const rows = hamiFlags.map(({ flag, shape, fate }) => {
    const dashes = flag.length === 1 ? '-' : '--';
    return `| \`${dashes}${flag}\` | ${shape} | ${fate} |`;
  });
  return ['| flag | takes | what becomes of it |', '| --- | --- | --- |', ...rows].join('\n');
}

describe('docs/hami-scheduler.md', () => {
  it('has one row for every flag, and no other', () => {
    const text = readFileSync(file, 'utf8');
    expect(text).toMatch(tablePlace);
    const want = text.replace(
      tablePlace,
      (_, marker: string) => `${marker}\n${renderFlags()}\n\n${ignoreEnd}\n`,
    );
    if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(file, want);
    expect(readFileSync(file, 'utf8')).toBe(want);
  });
});

/** The flags of spec §9.6 and those of klog that its charts have used. */
const namedBySpec = [
  ...[
    'http_bind',
    'cert_file',
    'key_file',
    'scheduler-name',
    'node-scheduler-policy',
    'gpu-scheduler-policy',
  ],
  ...['metrics-bind-address', 'node-label-selector', 'kube-qps', 'kube-burst', 'kube-timeout', 'profiling'],
  ...['node-lock-timeout', 'node-lock-retry-timeout', 'force-overwrite-default-scheduler', 'leader-elect'],
  ...[
    'leader-elect-resource-name',
    'leader-elect-resource-namespace',
    'legacy-metrics',
    'device-config-file',
  ],
  ...['debug', 'enable-ascend', 'enable-iluvatar', 'default-mem', 'default-cores', 'default-gpu', 'v'],
  ...['cambricon-mlu-name', 'dcu-name', 'metax-name', 'metax-vcount', 'mthreads-name', 'kunlun-name'],
];

describe('the table of flags', () => {
  it.each(namedBySpec.map((flag) => ({ flag })))('has --$flag', ({ flag }) => {
    expect(hamiFlags.map((row) => row.flag)).toContain(flag);
  });

  it('has every flag once', () => {
    const names = hamiFlags.map(({ flag }) => flagName(flag));
    expect(new Set(names).size).toBe(names.length);
  });

  const settings = new Set(listSettings(configSchema).map(({ path }) => path.join('.')));
  it.each(hamiFlags.map(({ flag, fate, read }) => ({ flag, fate, carried: read !== undefined })))(
    'says of --$flag the setting it becomes, or why there is none',
    ({ fate, carried }) => {
      expect(fate).toMatch(/^[^|\n]+\.$/);
      const [, setting] = /^Setting `([^`]+)`/.exec(fate) ?? [];
      expect(setting !== undefined && settings.has(setting)).toBe(carried);
      if (!carried) expect(fate).toMatch(/^Not (needed|carried over): /);
    },
  );
});
