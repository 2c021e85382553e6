import { builtinModules } from 'node:module';
import eslint from '@eslint/js';
import prettier from 'eslint-config-prettier';
import { defineConfig } from 'eslint/config';
import tseslint from 'typescript-eslint';

/**
 * The house (docs/architecture.md): every room of src/ with the rooms it may import. Lower floors come first, and a
 * room lists only rooms written above it, so imports run downward by construction.
 */
const rooms = {
  model: [],
  wire: ['model'],
  vendors: ['model', 'wire'],
  config: ['model', 'wire', 'vendors'],
  telemetry: ['model'],
  certificates: ['model'],
  state: ['model', 'wire', 'vendors'],
  placement: ['model', 'wire', 'config', 'vendors', 'state'],
  scheduler: ['model', 'wire', 'config', 'telemetry', 'vendors', 'state', 'placement'],
  admission: ['model', 'wire', 'config', 'telemetry', 'vendors', 'state', 'placement'],
  simulator: ['model', 'wire', 'config', 'vendors', 'state', 'placement'],
  migration: ['model', 'wire', 'config', 'vendors', 'state', 'placement'],
  kubernetes: ['model', 'wire', 'config', 'telemetry', 'vendors', 'certificates', 'state', 'scheduler'],
  http: [
    'model',
    'wire',
    'config',
    'telemetry',
    'certificates',
    'state',
    'placement',
    'scheduler',
    'admission',
    'simulator',
  ],
  emulator: ['model', 'wire', 'config', 'telemetry', 'vendors', 'certificates', 'kubernetes'],
};

/** Packages that belong to a few rooms alone; `commands` and `main.ts` wire rooms together and own none. */
const packageOwners = {
  '@kubernetes/client-node': ['kubernetes'],
  express: ['http', 'emulator'],
  'node-forge': ['certificates'],
  ajv: ['wire'],
  commander: ['commands'],
  pino: ['telemetry'],
  'prom-client': ['telemetry'],
  yaml: ['config', 'commands', 'emulator'],
};

/** Rooms that decide: no files, no sockets, no clock, no chance. What they need of those is handed in. */
const pureRooms = [
  'model',
  'wire',
  'vendors',
  'state',
  'placement',
  'scheduler',
  'admission',
  'simulator',
  'migration',
];

const timeMessage = 'Take the time from the injected clock.';
const environmentRule = {
  object: 'process',
  property: 'env',
  message: 'Only config/environment.ts reads the environment.',
};
const pureRoomRules = {
  'no-restricted-properties': [
    'error',
    environmentRule,
    { object: 'Date', property: 'now', message: timeMessage },
    { object: 'Math', property: 'random', message: 'Take randomness from an injected source.' },
  ],
  'no-restricted-globals': [
    'error',
    ...['setTimeout', 'setInterval', 'setImmediate', 'performance', 'fetch', 'console'].map((name) => ({
      name,
      message: 'Rooms that decide do no I/O and do not wait; pass it in.',
    })),
  ],
  'no-restricted-syntax': [
    'error',
    { selector: 'ImportExpression', message: 'Imports of a deciding room stand at its top.' },
    { selector: "NewExpression[callee.name='Date'][arguments.length=0]", message: timeMessage },
  ],
};

function foreignPackages(room) {
  return Object.entries(packageOwners)
    .filter(([, owners]) => !owners.includes(room))
    .map(([name]) => ({
      group: [name, `${name}/*`],
      message: `Only ${packageOwners[name].join(', ')} may import ${name}.`,
    }));
}

function floorOf(room, allowed) {
  const forbidden = [...Object.keys(rooms), 'commands'].filter(
    (other) => other !== room && !allowed.includes(other),
  );
  const patterns = [
    ...foreignPackages(room),
    ...forbidden.map((other) => ({
      group: [`**/${other}/**`],
      message: `src/${room}/ may not import src/${other}/ (docs/architecture.md, "The house").`,
    })),
  ];
  const isPure = pureRooms.includes(room);
  const message = `src/${room}/ does no I/O; pass it in.`;
  if (isPure) patterns.push({ group: ['node:*'], message });
  const paths = isPure ? builtinModules.map((name) => ({ name, message })) : [];
  return {
    files: [`src/${room}/**/*.ts`],
    rules: {
      'no-restricted-imports': ['error', { patterns, paths }],
      'no-restricted-properties': ['error', environmentRule],
      ...(isPure ? pureRoomRules : {}),
    },
  };
}

export default defineConfig(
  { ignores: ['dist/', 'coverage/', 'node_modules/'] },
  eslint.configs.recommended,
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      // client-node models are classes that everyone writes as literals.
      '@typescript-eslint/no-unsafe-class-instance-assignment': 'off',
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
    },
  },
  {
    files: ['**/*.{js,mjs}'],
    languageOptions: { globals: { process: 'readonly', console: 'readonly', URL: 'readonly' } },
  },
  ...Object.entries(rooms).map(([room, allowed]) => floorOf(room, allowed)),
  {
    files: ['src/commands/**/*.ts', 'src/main.ts'],
    rules: {
      'no-restricted-imports': ['error', { patterns: foreignPackages('commands') }],
      'no-restricted-properties': ['error', environmentRule],
    },
  },
  {
    // Benchmarks are no room of the house: they may use all of it, but nothing that only tests need. How real
    // Kubernetes is built and started is written down once, for both.
    files: ['bench/**/*.ts'],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          patterns: [
            {
              regex: '/test/(?!e2e/harness/)',
              message: 'bench/ imports src/, and of test/ only e2e/harness/, which starts real Kubernetes.',
            },
          ],
        },
      ],
    },
  },
  { files: ['src/config/environment.ts'], rules: { 'no-restricted-properties': 'off' } },
  {
    files: ['test/**/*.ts'],
    rules: {
      '@typescript-eslint/no-non-null-assertion': 'off',
      'no-restricted-imports': [
        'error',
        {
          paths: [
            {
              name: 'jest-mock',
              message: 'No module mocks: if a test needs one, the code needs a parameter.',
            },
          ],
        },
      ],
    },
  },
  prettier,
);
