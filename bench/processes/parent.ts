/** The child's side of `child.ts`: answers the parent's questions, and ends when the parent lets go. */
import type { Answers, Question, Reply } from './child.ts';

export function answerParent(answers: Answers): void {
  process.on('message', (question: Question) => {
    void reply(answers, question);
  });
  process.on('disconnect', () => {
    process.exit(0);
  });
}

/** Never rejects: what fails becomes the answer. */
async function reply(answers: Answers, { id, method, argument }: Question): Promise<void> {
  try {
    const answer = answers[method];
    if (answer === undefined) throw new Error(`nobody here answers ${method}`);
    send({ id, ok: true, value: await answer(argument as never) });
  } catch (error) {
    const problem = error instanceof Error ? (error.stack ?? error.message) : String(error);
    send({ id, ok: false, problem });
  }
}

function send(reply: Reply): void {
  // A parent that has let go needs no answer.
  if (process.connected) process.send?.(reply);
}
