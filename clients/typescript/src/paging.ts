/** Walks a list by its cursors, a hundred rows a request. */
export async function* everyRow<Page extends { next_cursor: string | null }, Row>(
  read: (at: { per_page?: number; cursor?: string }) => Promise<Page>,
  rowsOf: (page: Page) => readonly Row[],
): AsyncGenerator<Row, void, undefined> {
  let cursor: string | null = null;
  do {
    const page: Page = await read({ per_page: 100, ...(cursor === null ? {} : { cursor }) });
    yield* rowsOf(page);
    cursor = page.next_cursor;
  } while (cursor !== null);
}
