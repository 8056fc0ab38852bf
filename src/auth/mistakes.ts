import type { ErrorObject } from 'ajv';

/** What ajv found wrong, each once, as a sentence that begins with its JSON pointer. */
export const mistakesOf = (errors: readonly ErrorObject[] | null | undefined): readonly string[] => [...new Set((errors ?? []).map(sentence))];

function sentence({ instancePath, message, params }: ErrorObject): string {
  const what =
    'additionalProperty' in params
      ? `${message}: \`${params.additionalProperty}\``
      : 'allowedValues' in params
        ? `${message}: ${(params.allowedValues as string[]).join(', ')}`
        : message;
  return `${instancePath === '' ? '/' : instancePath}: ${what}`;
}
