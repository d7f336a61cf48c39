import { run } from "./process.ts";

/** Has QEMU open an image, and returns once it has; until it is disposed of. */
export async function openedByQemu(
  path: string,
  { format, readOnly = false }: { readonly format: "raw" | "qcow2"; readonly readOnly?: boolean },
): Promise<AsyncDisposable> {
  const opener = new Deno.Command("qemu-io", {
    args: [...(readOnly ? ["-r"] : []), "-f", format, path],
    ...{ stdin: "piped", stdout: "piped", stderr: "inherit" } as const,
  }).spawn();
  const said = opener.stdout.getReader();
  // It asks for the first command once it has opened and locked the image
  const { value } = await said.read();
  if (value === undefined) throw new Error(`qemu-io does not open ${path}`);
  return {
    [Symbol.asyncDispose]: async () => {
      await opener.stdin.close();
      await opener.status;
      await said.cancel();
    },
  };
}

/** The first byte of an image, as a guest sees it. */
export async function firstByte(path: string): Promise<number | undefined> {
  const raw = await Deno.makeTempFile();
  try {
    await run(["qemu-img", "convert", "-U", "-O", "raw", path, raw]);
    return (await Deno.readFile(raw))[0];
  } finally {
    await Deno.remove(raw);
  }
}
