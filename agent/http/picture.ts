/** `GET …/screenshot.png`: what `screenshot_vm` gives, as the picture itself, for `<img>`. */
import { ContractError, type ErrorCode, type Output } from "../../lib/contract/mod.ts";
import { fromText } from "../../lib/contract/rest.ts";
import Type from "typebox";

/** Where it is, below `/api/v1`. */
export const PICTURE_PATH = "/vms/{vmId}/screenshot.png";

/** The command's input. Other fields of the query are passed over: a page adds one to get a picture anew. */
export function pictureInput(vmId: string | undefined, query: URLSearchParams): unknown {
  return { vmId, thumbnail: fromText(Type.Boolean(), query.get("thumbnail") ?? "false") };
}

/** Answers that are no failure for who shows a picture where there is one; the command itself tells why there is none. */
const NO_PICTURE: ReadonlySet<ErrorCode> = new Set([
  "VmNotRunning",
  "NoScreen",
  "ScreenshotFailed",
  "LibvirtTimeout",
  "LibvirtBusy",
]);

/** What the dispatch of the command gives, as a response. @throws what the command throws, unless it is no failure */
export async function pictureResponse(answer: Promise<unknown>): Promise<Response> {
  let picture: Output<"screenshot_vm">;
  try {
    picture = await answer as Output<"screenshot_vm">;
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
