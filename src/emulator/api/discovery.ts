/**
 * What clients ask first: which groups, versions and resources there are. The OpenAPI documents say only which
 * resources may be patched with `fieldValidation`, which is all that `kubectl` needs before it applies a file; unknown
 * fields are accepted and kept, whatever is asked. `kubectl explain` therefore has nothing to show.
 */
import { Router } from 'express';
import { sendJson } from './answers.ts';
import type { JsonRecord } from './json.ts';
import { apiVersionOf, type Resource, resources } from './resources.ts';

/** Of the Kubernetes release whose behaviour is followed. */
const version = {
  major: '1',
  minor: '36',
  gitVersion: 'v1.36.0+tessera.emulator',
  gitCommit: '',
  gitTreeState: 'clean',
  buildDate: '1970-01-01T00:00:00Z',
  goVersion: '',
  compiler: '',
  platform: '',
};

const verbs = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'];

export function discoveryRoutes(): Router {
  const router = Router();
  const answer = (path: string, value: unknown) => {
    router.get(path, (_request, response) => {
      sendJson(response, value);
    });
  };
  for (const path of ['/healthz', '/livez', '/readyz']) {
    router.get(path, (_request, response) => {
      response.type('text/plain').send('ok');
    });
  }
  answer('/version', version);
  answer('/api', { kind: 'APIVersions', versions: ['v1'], serverAddressByClientCIDRs: [] });
  const groups = [...new Set(resources.map(({ group }) => group))].filter((group) => group !== '');
  answer('/apis', { kind: 'APIGroupList', apiVersion: 'v1', groups: groups.map(groupOf) });
  for (const group of groups)
    answer(`/apis/${group}`, { kind: 'APIGroup', apiVersion: 'v1', ...groupOf(group) });

  const roots = [...new Set(resources.map(rootOf))];
  for (const root of roots) {
    const members = resources.filter((resource) => rootOf(resource) === root);
    answer(root, resourceList(members));
    answer(`/openapi/v3${root}`, openApiOf(members));
  }
  answer('/openapi/v3', {
    paths: Object.fromEntries(
      roots.map((root) => [
        root.slice(1),
        { serverRelativeURL: `/openapi/v3${root}?hash=${version.gitVersion}` },
      ]),
    ),
  });
  return router;
}

/** The path under which a group's version is served, e.g. `/api/v1`. */
export function rootOf(resource: Pick<Resource, 'group' | 'version'>): string {
  return resource.group === '' ? `/api/${resource.version}` : `/apis/${apiVersionOf(resource)}`;
}

function groupOf(name: string): JsonRecord {
  const only = { groupVersion: `${name}/v1`, version: 'v1' };
  return { name, versions: [only], preferredVersion: only };
}

function resourceList(members: readonly Resource[]): JsonRecord {
  const [first] = members;
  const core = first?.group === '';
  return {
    kind: 'APIResourceList',
    apiVersion: 'v1',
    groupVersion: first === undefined ? '' : apiVersionOf(first),
    resources: [
      ...(core
        ? [
            {
              name: 'bindings',
              singularName: 'binding',
              namespaced: true,
              kind: 'Binding',
              verbs: ['create'],
            },
          ]
        : []),
      ...members.flatMap(entriesOf),
    ],
  };
}

function entriesOf(resource: Resource): readonly JsonRecord[] {
  const { plural, singular, kind, namespaced, shortNames, categories } = resource;
  return [
    {
      name: plural,
      singularName: singular,
      namespaced,
      kind,
      verbs,
      ...(shortNames.length === 0 ? {} : { shortNames }),
      ...(categories.length === 0 ? {} : { categories }),
    },
    ...resource.subresources.map(({ name, ...subresource }) => ({
      name: `${plural}/${name}`,
      singularName: '',
      namespaced,
      ...subresource,
    })),
  ];
}

function openApiOf(members: readonly Resource[]): JsonRecord {
  return {
    openapi: '3.0.0',
    info: { title: 'Tessera emulator', version: version.gitVersion },
    paths: Object.fromEntries(members.map((resource) => [itemPath(resource), { patch: patchOf(resource) }])),
  };
}

function itemPath(resource: Resource): string {
  return `${rootOf(resource)}${resource.namespaced ? '/namespaces/{namespace}' : ''}/${resource.plural}/{name}`;
}

function patchOf({ group, version: resourceVersion, kind }: Resource): JsonRecord {
  return {
    parameters: [{ name: 'fieldValidation', in: 'query', schema: { type: 'string' } }],
    responses: {},
    'x-kubernetes-group-version-kind': { group, version: resourceVersion, kind },
  };
}
