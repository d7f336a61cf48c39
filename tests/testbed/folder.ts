/** A folder for what a test writes. */

/** A folder. Disposing of it removes it with all that is in it. */
export interface TestFolder extends AsyncDisposable {
  readonly path: string;
}

/** Makes one, for root alone, where temporary files are. */
export async function testFolder(): Promise<TestFolder> {
  const path = await Deno.makeTempDir({ prefix: "kvmm-test-" });
  return { path, [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }) };
}
