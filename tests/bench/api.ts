/** Asking the running product, as any program does: HTTP over TCP, connections kept open. */

/** Milliseconds after which no answer comes any more. */
const LIMIT_MS = 30_000;

/** Fields of a VM that the benches use. */
export interface ListedVm {
  readonly id: string;
  readonly name: string;
}

/** The whole list, received and parsed. @throws {Error} when the product says no */
export async function getVms(url: string): Promise<ListedVm[]> {
  const response = await fetch(`${url}/api/v1/vms`, { signal: AbortSignal.timeout(LIMIT_MS) });
  if (!response.ok) throw new Error(`get_vms: HTTP ${response.status} ${await response.text()}`);
  return await response.json();
}

/** How many of the named machines are in a list. */
export function countOf(list: readonly ListedVm[], names: readonly string[]): number {
  const listed = new Set(list.map(({ name }) => name));
  return names.filter((name) => listed.has(name)).length;
}

/** The connection of an event stream whose events are discarded: it makes the product believe that a page is open. */
export async function watcher(url: string): Promise<AsyncDisposable> {
  const stop = new AbortController();
  const response = await fetch(`${url}/api/v1/events`);
  // The signal goes to the pipe: given to fetch alone, Deno 2.9 forgets it with the next garbage collection.
  const reading = response.body!.pipeTo(new WritableStream(), stop).catch(() => {}); // ends by being aborted
  return {
    [Symbol.asyncDispose]: async () => {
      stop.abort();
      await reading;
    },
  };
}
