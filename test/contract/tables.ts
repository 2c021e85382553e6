/** The Table form, from which `kubectl get` prints. */
import { describe, expect, it } from '@jest/globals';
import type { Json } from './api-client.ts';
import {
  accepted,
  bind,
  type Context,
  createNode,
  createPod,
  mergePatch,
  nameOf,
  pathOf,
  valueOf,
} from './contract-context.ts';

const tableForm = 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json';

export function describeTables(connected: Context): void {
  const tableOf = async (path: string) =>
    accepted(await connected().client.send('GET', path, { accept: tableForm }));
  const podRow = async (pod: Json) => tableOf(pathOf(connected(), 'pods', nameOf(pod)));
  const cellsOf = (table: Json) => valueOf(table, 'rows', 0, 'cells') as readonly unknown[];
  const columnsOf = (table: Json) =>
    (table['columnDefinitions'] as readonly Json[]).map(
      (column) => `${String(column['name'])}${column['priority'] === 0 ? '' : ' (wide)'}`,
    );
  const writeStatus = async (pod: Json, status: Json) =>
    accepted(
      await connected().client.send('PATCH', `${pathOf(connected(), 'pods', nameOf(pod))}/status`, {
        body: { status },
        contentType: mergePatch,
      }),
    );

  describe('tables', () => {
    it('of pods have the usual columns, and rows with the metadata of their objects', async () => {
      const pod = await createPod(connected(), { name: 'table-a' });
      const query = new URLSearchParams({ fieldSelector: 'metadata.name=table-a' });
      const table = await tableOf(`${pathOf(connected(), 'pods')}?${query.toString()}`);
      expect(table).toMatchObject({ kind: 'Table', apiVersion: 'meta.k8s.io/v1' });
      expect(columnsOf(table)).toEqual([
        'Name',
        'Ready',
        'Status',
        'Restarts',
        'Age',
        'IP (wide)',
        'Node (wide)',
        'Nominated Node (wide)',
        'Readiness Gates (wide)',
      ]);
      expect(cellsOf(table)).toEqual([
        'table-a',
        '0/1',
        'Pending',
        '0',
        expect.stringMatching(/^\d+s$/),
        '<none>',
        '<none>',
        '<none>',
        '<none>',
      ]);
      expect(valueOf(table, 'rows', 0, 'object')).toMatchObject({
        kind: 'PartialObjectMetadata',
        metadata: { name: 'table-a', uid: valueOf(pod, 'metadata', 'uid') },
      });
    });

    it('follow a pod through its life', async () => {
      const pod = await createPod(connected(), { name: 'table-b' });
      accepted(await bind(connected(), pod));
      const status = (state: Json, ready: boolean, restartCount: number) => ({
        containerStatuses: [
          { name: 'main', image: 'a', imageID: 'a', ready, restartCount, state, lastState: {} },
        ],
      });
      const states = [cellsOf(await podRow(pod)).slice(1, 7)];
      for (const next of [
        { phase: 'Pending', ...status({ waiting: { reason: 'ContainerCreating' } }, false, 0) },
        { phase: 'Running', podIP: '10.0.0.1', ...status({ running: {} }, true, 2) },
        { phase: 'Failed', ...status({ terminated: { exitCode: 3 } }, false, 2) },
      ]) {
        await writeStatus(pod, next);
        states.push(cellsOf(await podRow(pod)).slice(1, 7));
      }
      const age = expect.any(String);
      expect(states).toEqual([
        ['0/1', 'Pending', '0', age, '<none>', 'node-1'],
        ['0/1', 'ContainerCreating', '0', age, '<none>', 'node-1'],
        ['1/1', 'Running', '2', age, '10.0.0.1', 'node-1'],
        ['0/1', 'ExitCode:3', '2', age, '10.0.0.1', 'node-1'],
      ]);
    });

    it('say Terminating of a pod on its way out', async () => {
      const pod = await createPod(connected(), { name: 'table-c' });
      accepted(await bind(connected(), pod));
      await connected().client.send('DELETE', pathOf(connected(), 'pods', 'table-c'));
      expect(cellsOf(await podRow(pod))[2]).toBe('Terminating');
    });

    it('of nodes have the usual columns', async () => {
      const node = await createNode(connected());
      const table = await tableOf(`/api/v1/nodes/${nameOf(node)}`);
      expect(columnsOf(table).slice(0, 6)).toEqual([
        'Name',
        'Status',
        'Roles',
        'Age',
        'Version',
        'Internal-IP (wide)',
      ]);
      expect(cellsOf(table).slice(0, 3)).toEqual([nameOf(node), 'Ready', '<none>']);
    });

    it('of events have the usual columns', async () => {
      const { client, namespace } = connected();
      const body = {
        metadata: { generateName: 'event-' },
        involvedObject: { kind: 'Pod', namespace, name: 'table-a' },
        reason: 'Tabled',
        message: 'shown in a row',
        type: 'Normal',
      };
      const event = accepted(await client.send('POST', pathOf(connected(), 'events'), { body }));
      const table = await tableOf(pathOf(connected(), 'events', nameOf(event)));
      expect(columnsOf(table).filter((column) => !column.endsWith('(wide)'))).toEqual([
        'Last Seen',
        'Type',
        'Reason',
        'Object',
        'Message',
      ]);
      expect(cellsOf(table).slice(1, 4)).toEqual(['Normal', 'Tabled', 'pod/table-a']);
    });

    it('in a watch name their columns once', async () => {
      const { client } = connected();
      await createPod(connected(), { name: 'table-d', labels: { table: 'd' } });
      await createPod(connected(), { name: 'table-e', labels: { table: 'd' } });
      const path = `${pathOf(connected(), 'pods')}?watch=true&labelSelector=table%3Dd`;
      const watch = await client.watch(path, { accept: tableForm });
      const [first, second] = [await watch.next(), await watch.next()];
      expect(first).toMatchObject({
        type: 'ADDED',
        object: {
          kind: 'Table',
          rows: [
            {
              cells: [
                'table-d',
                '0/1',
                'Pending',
                '0',
                expect.any(String),
                '<none>',
                '<none>',
                '<none>',
                '<none>',
              ],
            },
          ],
        },
      });
      expect(valueOf(first, 'object', 'columnDefinitions')).toHaveLength(9);
      expect(second).toMatchObject({ type: 'ADDED', object: { kind: 'Table', columnDefinitions: null } });
    });
  });
}
