/** virt-viewer's connection file: what remote-viewer opens (GKeyFile syntax). */

/** A screen as the file names it. */
export interface ViewerScreen {
  readonly type: string;
  readonly port?: number;
  readonly tlsPort?: number;
  readonly password?: string | undefined;
}

/** Media type of the file: desktops open it in remote-viewer. */
export const VIEWER_FILE_TYPE = "application/x-virt-viewer";

/** GKeyFile's escapes: a value can hold no line break, and so no second setting. */
function escaped(value: string): string {
  const plain = value.replaceAll("\\", "\\\\").replaceAll("\n", "\\n").replaceAll("\r", "\\r").replaceAll(
    "\t",
    "\\t",
  );
  return plain.replace(/^ /, "\\s");
}

/** The file's text for a screen that is reached at `host`. */
export function viewerFile(title: string, host: string, screen: ViewerScreen): string {
  const settings: Readonly<Record<string, string | number | undefined>> = {
    type: screen.type,
    title,
    host,
    port: screen.port,
    "tls-port": screen.tlsPort,
    password: screen.password,
    // It holds a password: remote-viewer deletes it once it has read it.
    "delete-this-file": 1,
    "release-cursor": "ctrl+alt",
    "toggle-fullscreen": "shift+f11",
  };
  const lines = Object.entries(settings)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}=${escaped(String(value))}`);
  return ["[virt-viewer]", ...lines, ""].join("\n");
}
