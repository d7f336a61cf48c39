/** `GET ….png`: what commands give that show screens, as the picture itself, for `<img>`. */
import { ContractError, type ErrorCode, type Output } from "../../lib/contract/mod.ts";
import { fromText } from "../../lib/contract/rest.ts";
import Type from "typebox";

/** A picture that has an address of its own. */
export interface PictureRoute {
  readonly command: "screenshot_vm" | "get_backup_screen";
  /** Path below `/api/v1`. */
  readonly path: string;
  /** The command's input. Other fields of the query are passed over: a page adds one to get a picture again. */
  readonly input: (place: Readonly<Record<string, string>>, query: URLSearchParams) => unknown;
}

export const PICTURES: readonly PictureRoute[] = [
  {
    command: "screenshot_vm",
    path: "/vms/{vmId}/screenshot.png",
    input: ({ vmId }, query) => ({
      vmId,
      thumbnail: fromText(Type.Boolean(), query.get("thumbnail") ?? "false"),
    }),
  },
  {
    command: "get_backup_screen",
    path: "/backups/{backupId}/runs/{runId}/vms/{vmId}/screen.png",
    input: (place) => place,
  },
];

/** Answers that are no failure for who shows a picture where there is one; the command itself tells why there is none. */
const NO_PICTURE: ReadonlySet<ErrorCode> = new Set([
  "VmNotRunning",
  "NoScreen",
  "ScreenshotFailed",
  "LibvirtTimeout",
  "LibvirtBusy",
]);

/**
 * The command's picture as a response. @throws errors of the command, except those that mean that there is no
 * picture
 */
export async function pictureResponse(answer: Promise<unknown>): Promise<Response> {
  let picture: Pick<Output<"screenshot_vm">, "format" | "data">;
  try {
    picture = await answer as typeof picture;
  } catch (error) {
    if (!(error instanceof ContractError) || !NO_PICTURE.has(error.code)) throw error;
    return new Response(null, { status: 204, headers: { "cache-control": "no-store" } });
  }
  const { format, data } = picture;
  return new Response(Uint8Array.fromBase64(data), {
    headers: {
      "content-type": format,
      "cache-control": "no-store",
      "content-disposition": 'inline; filename="screen.png"',
    },
  });
}
