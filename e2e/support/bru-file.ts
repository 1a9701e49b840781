const BLOCK = /^([a-z:-]+) \{\n((?:(?: {2}.*)?\n)*)\}\n/gm;

/** The blocks of a `.bru` file by name: their lines without the indentation. @throws Error if there is anything else */
export function blocksOf(file: string): Record<string, string[]> {
  const rest = file.replaceAll(BLOCK, '').trim();
  if (rest !== '') throw new Error(`Not of a block: ${rest}`);
  const blocks = [...file.matchAll(BLOCK)].map(([, name = '', text = '']): [string, string[]] => [
    name,
    text
      .slice(0, -1)
      .split('\n')
      .map((line) => line.slice(2)),
  ]);
  return Object.fromEntries(blocks);
}

/** Names and values of a block; those that are switched off (`~`) are left out. */
export function entriesOf(block: readonly string[] = []): [string, string][] {
  return block
    .filter((line) => !line.startsWith('~'))
    .map((line) => {
      const [, name = '', value = ''] = /^([^:\s]+):(?: (.*))?$/.exec(line) ?? [];
      if (name === '') throw new Error(`Not a name and a value: ${line}`);
      return [name, value];
    });
}
