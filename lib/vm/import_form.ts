/** The form that imports a VM, as the command's input. */

/** Fields of the import form. */
export interface ImportRequest {
  readonly xml: string;
  readonly name?: string;
  readonly newId: boolean;
  readonly newMacs: boolean;
  readonly allowMissing: boolean;
}

/** Reads the form: a file that was chosen counts, else the text. */
export async function importRequest(form: FormData): Promise<ImportRequest> {
  const file = form.get("file");
  const isFile = file instanceof File && file.size > 0;
  const name = String(form.get("name") ?? "");
  const isTicked = (box: string) => form.get(box) === "yes";
  return {
    xml: isFile ? await file.text() : String(form.get("xml") ?? ""),
    ...(name !== "" && { name }),
    newId: isTicked("newId"),
    newMacs: isTicked("newMacs"),
    allowMissing: isTicked("allowMissing"),
  };
}
