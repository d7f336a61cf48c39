/** Saving a text as a file, from the page. */

/** Hands the browser a text file to save. */
export function saveText(name: string, text: string): void {
  const url = URL.createObjectURL(new Blob([text], { type: "text/plain;charset=utf-8" }));
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  // The browser has read the address by then, not necessarily before.
  setTimeout(() => URL.revokeObjectURL(url), 1000);
}
