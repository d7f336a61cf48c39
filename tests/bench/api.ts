/** Asking the running product, as any program does: HTTP over TCP, connections kept open. */

/** What of a machine the benches look at. */
export interface ListedVm {
  readonly id: string;
  readonly name: string;
}

/** The whole list, received and parsed. @throws {Error} when the product says no */
export async function getVms(url: string): Promise<ListedVm[]> {
  const response = await fetch(`${url}/api/v1/vms`);
  if (!response.ok) throw new Error(`get_vms: HTTP ${response.status} ${await response.text()}`);
  return await response.json();
}

/** How many of the named machines are in a list. */
export function countOf(list: readonly ListedVm[], names: readonly string[]): number {
  const listed = new Set(list.map(({ name }) => name));
  return names.filter((name) => listed.has(name)).length;
}

/** The connection of an event stream that nobody reads closely: it makes the product believe that a page is open. */
export async function watcher(url: string): Promise<AsyncDisposable> {
  const stop = new AbortController();
  const response = await fetch(`${url}/api/v1/events`, { signal: stop.signal });
  const reader = response.body!.getReader();
  const reading = drain(reader);
  return {
    [Symbol.asyncDispose]: async () => {
      // Cancelled first: in Deno 2.9 a read that waits is not woken by the abort alone once much was read.
      const cancelled = reader.cancel().catch(() => {/* broken already: nothing is left to cancel */});
      stop.abort();
      await cancelled;
      await reading;
    },
  };
}

async function drain(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<void> {
  try {
    while (!(await reader.read()).done);
  } catch {
    // it ends by being aborted
  }
}
