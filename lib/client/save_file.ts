/** Saving something as a file, from the page. */

/** Hands the browser a file to save. */
export function saveBlob(name: string, content: Blob): void {
  const url = URL.createObjectURL(content);
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  // The browser has read the address by then, not necessarily before.
  setTimeout(() => URL.revokeObjectURL(url), 1000);
}

/** Hands the browser a text file to save. */
export function saveText(name: string, text: string): void {
  saveBlob(name, new Blob([text], { type: "text/plain;charset=utf-8" }));
}
