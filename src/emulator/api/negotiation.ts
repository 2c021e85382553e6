/**
 * Which form of an answer a client takes: the objects themselves or the `Table` that `kubectl get` prints. The first
 * form of the Accept header that is served wins; protobuf and YAML are not served.
 */
export type AnswerForm = 'objects' | 'table';

/** The form to answer in; undefined when none that is asked for is served (406). */
export function negotiate(accept: string | undefined): AnswerForm | undefined {
  if (accept === undefined || accept.trim() === '') return 'objects';
  for (const range of accept.split(',')) {
    const [type = '', ...parameters] = range.split(';').map((part) => part.trim().toLowerCase());
    if (type !== 'application/json' && type !== 'application/*' && type !== '*/*') continue;
    const as = parameters.find((parameter) => parameter.startsWith('as='))?.slice('as='.length);
    if (as === undefined) return 'objects';
    if (as === 'table' && parameters.includes('v=v1') && parameters.includes('g=meta.k8s.io')) return 'table';
  }
  return undefined;
}
