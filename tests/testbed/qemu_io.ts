/** Has QEMU open an image, until it is disposed of. */
export function openedByQemu(
  path: string,
  { format, readOnly = false }: { readonly format: "raw" | "qcow2"; readonly readOnly?: boolean },
): AsyncDisposable {
  const opener = new Deno.Command("qemu-io", {
    args: [...(readOnly ? ["-r"] : []), "-f", format, path],
    ...{ stdin: "piped", stdout: "null", stderr: "null" } as const,
  }).spawn();
  return {
    [Symbol.asyncDispose]: async () => {
      await opener.stdin.close();
      await opener.status;
    },
  };
}
