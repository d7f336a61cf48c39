/** Steps of a test that are carried out in parallel: each waits for guests and clocks most of its time. */

/**
 * Carries out works, some at a time, and reports each as a step of its own once all have ended.
 *
 * @param most how many at a time
 * @param works by the name of their step; each keeps to VMs, pools and networks of its own
 */
export async function parallelSteps(
  t: Deno.TestContext,
  most: number,
  works: Readonly<Record<string, () => Promise<unknown>>>,
): Promise<void> {
  const names = Object.keys(works), left = [...names];
  const ended = new Map<
    string,
    { readonly seconds: number; readonly failure?: { readonly error: unknown } }
  >();
  const lane = async () => {
    for (let name = left.shift(); name !== undefined; name = left.shift()) {
      const began = performance.now();
      const failure = await works[name]!().then(() => undefined, (error: unknown) => ({ error }));
      ended.set(name, { seconds: (performance.now() - began) / 1000, ...(failure && { failure }) });
    }
  };
  await Promise.all(Array.from({ length: most }, lane));
  for (const name of names) {
    const { seconds, failure } = ended.get(name)!;
    await t.step(`${name} (${seconds.toFixed(1)} s, in parallel)`, () => {
      if (failure !== undefined) throw failure.error;
    });
  }
}
