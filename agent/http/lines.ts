/**
 * Output of a command while it works: one JSON per line, as it comes, for clients that accept that. The
 * answer begins with the first line, so that a command that is refused is refused by its status; a later
 * failure is the last line.
 */
import { ContractError } from "../../lib/contract/errors.ts";
import { LINES_TYPE } from "../../lib/contract/lines.ts";
import type { Content } from "../dispatch.ts";
import { log } from "../log.ts";

/** Bytes that may wait for a slow reader; what comes beyond them is lost, and said to be. */
const MOST_WAITING = 8 * 1024 * 1024;

/** Whether the answer is wanted line by line. */
export const wantsLines = ({ headers }: Request): boolean =>
  (headers.get("accept") ?? "").split(",").some((each) => each.split(";")[0]!.trim() === LINES_TYPE);

/**
 * Answers with the output of a command, and at the end with `result` or `error`. A client that hangs up ends
 * it.
 *
 * @throws its refusal, before the first line
 */
export async function jsonLinesResponse(run: (content: Content) => Promise<unknown>): Promise<Response> {
  const encoder = new TextEncoder(), gone = new AbortController();
  const begun = Promise.withResolvers<void>();
  let controller!: ReadableStreamDefaultController<Uint8Array>, lost = 0, isOver = false;
  const body = new ReadableStream<Uint8Array>({
    start: (own) => void (controller = own),
    cancel: () => {
      isOver = true;
      gone.abort(new ContractError("JobCancelled"));
    },
  }, new ByteLengthQueuingStrategy({ highWaterMark: MOST_WAITING }));
  const write = (line: unknown) => controller.enqueue(encoder.encode(`${JSON.stringify(line)}\n`));
  const tell = (line: Readonly<Record<string, unknown>>) => {
    if (isOver) return;
    begun.resolve();
    if ((controller.desiredSize ?? 0) <= 0) lost++;
    else write(line);
  };
  const end = (line: Readonly<Record<string, unknown>>) => {
    if (isOver) return;
    isOver = true;
    write({ ...line, ...(lost > 0 && { lost }) });
    controller.close();
  };
  const running = run({ tell, gone: gone.signal });
  running.then(
    (result) => end({ result }),
    (error) => {
      if (!(error instanceof ContractError)) log.error("a command failed unexpectedly", { error });
      end({ error: error instanceof ContractError ? error : new ContractError("Internal") });
    },
  );
  await Promise.race([begun.promise, running]);
  return new Response(body, { headers: { "content-type": LINES_TYPE, "cache-control": "no-store" } });
}
