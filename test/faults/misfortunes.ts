/**
 * What befalls a cluster beside single calls that fail: to servers, watches, clocks, machines and cards. Each has a name
 * and strikes once when it is told to; what has to be put right again puts itself right some time later.
 */
import { pick } from '../../src/emulator/demo-cluster-random.ts';
import type { NodeDescription } from '../../src/emulator/node-agent/node-description.ts';
import { crashPoints } from './bind-steps.ts';
import { deleteNode, registerNode, unlistCard, wipeMachine } from './machine-faults.ts';
import type { Server, World } from './world.ts';

export const misfortuneNames = [
  'server-killed',
  'leader-stopped',
  'watch-drop',
  'gone-410',
  'stale-watch',
  'reordered-watches',
  'repeated-events',
  'half-open-watch',
  'clock-jump',
  'allocate-fails',
  'allocate-crashes',
  'allocate-silent',
  'allocate-answers-twice',
  'node-deleted',
  'machine-lost',
  'device-ill',
  'device-unlisted',
] as const;
export type Misfortune = (typeof misfortuneNames)[number];

type Random = () => number;

const strikes: Readonly<Record<Misfortune, (world: World, random: Random) => void>> = {
  'server-killed': (world, random) => {
    const point = pick(crashPoints, random);
    world.armBlow(
      (reached) => reached === point,
      (server) => {
        killAndReplace(world, server, random);
      },
    );
    // A point that is rare is not waited for.
    world.time.after(3000, () => {
      if (!world.isBlowPending || world.isCalm) return;
      world.disarm();
      const [server] = world.servers;
      if (server !== undefined) killAndReplace(world, server, random);
    });
  },
  'leader-stopped': (world, random) => {
    const point = pick(crashPoints, random);
    world.armBlow(
      (reached) => reached === point,
      (server) => {
        stopAndTakeOver(world, server, random);
      },
    );
  },
  'watch-drop': (world) => {
    for (const { replica } of world.servers) replica.link.dropWatches();
  },
  'gone-410': (world) => {
    world.api.store.forgetHistory();
    for (const { replica } of world.servers) replica.link.dropWatches();
  },
  'stale-watch': (world, random) => {
    const lagMs = 200 + random() * 4000;
    world.watchLagMs = () => lagMs;
    world.time.after(10_000, () => {
      world.watchLagMs = () => 0;
    });
  },
  'reordered-watches': (world, random) => {
    const slow = pick(['/api/v1/pods', '/api/v1/nodes'], random);
    const lagMs = 100 + random() * 2000;
    world.watchLagMs = (path) => (path === slow ? lagMs : 0);
    world.time.after(10_000, () => {
      world.watchLagMs = () => 0;
    });
  },
  'repeated-events': (world) => {
    world.repeatsEvents = true;
    for (const { replica } of world.servers) replica.link.dropWatches();
    world.time.after(5000, () => {
      world.repeatsEvents = false;
    });
  },
  'half-open-watch': (world) => {
    for (const { replica } of world.servers) replica.link.silenceWatches();
  },
  'clock-jump': (world, random) => {
    const byMs = Math.round((random() - 0.5) * 2 * 3_600_000);
    for (const { process } of world.servers) process.jumpClock(byMs);
  },
  'allocate-fails': (world, random) => {
    withMachine(world, random, ({ name }) => {
      world.agent.setNextBehaviour(name, 'fail');
    });
  },
  'allocate-crashes': (world, random) => {
    withMachine(world, random, ({ name }) => {
      world.agent.setNextBehaviour(name, 'crash');
    });
  },
  'allocate-silent': (world, random) => {
    withMachine(world, random, ({ name }) => {
      world.agent.setBehaviour(name, 'hang');
      world.time.after(5000 + random() * 60_000, () => {
        if (world.hasMachine(name)) world.agent.setBehaviour(name, 'serve');
      });
    });
  },
  'allocate-answers-twice': (world, random) => {
    withMachine(world, random, ({ name }) => {
      world.agent.setNextBehaviour(name, 'answer-twice');
    });
  },
  'node-deleted': (world, random) => {
    withMachine(world, random, (node) => {
      void deleteNode(world, node, 500 + random() * 10_000);
    });
  },
  'machine-lost': (world, random) => {
    withMachine(world, random, (node) => {
      void wipeMachine(world, node, 1000 + random() * 20_000);
    });
  },
  'device-ill': (world, random) => {
    withMachine(world, random, (node) => {
      const ill = Math.floor(random() * node.gpus.length);
      const gpus = node.gpus.map((gpu, index) => (index === ill ? { ...gpu, healthy: false } : gpu));
      void registerNode(world, { ...node, gpus });
      world.time.after(3000 + random() * 15_000, () => {
        void registerNode(world, node);
      });
    });
  },
  'device-unlisted': (world, random) => {
    withMachine(world, random, (node) => {
      void unlistCard(world, node);
      world.time.after(3000 + random() * 15_000, () => {
        void registerNode(world, node);
      });
    });
  },
};

export function strike(misfortune: Misfortune, world: World, random: Random): void {
  world.dice.count(misfortune);
  world.journal.add(`misfortune ${misfortune}`);
  strikes[misfortune](world, random);
}

/** SIGKILL; another server starts a while later, or the standby leads and a new one becomes its standby. */
export function killAndReplace(world: World, server: Server, random: Random): void {
  world.kill(server);
  const standby = world.servers.find(({ process }) => !process.isStopped);
  const afterMs = 200 + random() * 5000;
  world.time.after(afterMs, () => {
    if (standby !== undefined && !standby.process.isDead) standby.election.lead();
    const next = world.startServer();
    if (standby === undefined) next.election.lead();
  });
}

/** SIGSTOP, take-over by the standby, SIGCONT; the former leader may go on for a while believing that it leads. */
export function stopAndTakeOver(world: World, server: Server, random: Random): void {
  const standby = world.servers.find((other) => other !== server && !other.process.isStopped);
  if (standby === undefined) return;
  world.journal.add(`${server.process.name} is stopped`);
  server.process.stop();
  const takeOverMs = random() * 4000;
  const stopMs = takeOverMs + random() * 8000;
  const believesMs = stopMs + random() * 1000;
  world.time.after(takeOverMs, () => {
    server.election.lose();
    if (!standby.process.isDead) standby.election.lead();
  });
  world.time.after(stopMs, () => {
    world.journal.add(`${server.process.name} goes on`);
    server.process.resume();
  });
  world.time.after(believesMs, () => {
    if (!server.election.isLabelled) server.election.follow();
  });
}

function withMachine(world: World, random: Random, action: (node: NodeDescription) => void): void {
  const machines = world.nodes.filter(({ name }) => world.hasMachine(name));
  if (machines.length > 0) action(pick(machines, random));
}
