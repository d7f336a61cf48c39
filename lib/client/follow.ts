/** Calls of commands that tell what comes while they work: one JSON a line, the last one is the result or the error. */
import { LINES_TYPE } from "../contract/lines.ts";
import { ApiError, call, postCommand, type Transport } from "./api.ts";

/** A line: what the command says. */
export type ToldLine = Readonly<Record<string, unknown>>;

/** The lines of such an answer. */
async function* linesIn(body: ReadableStream<Uint8Array>): AsyncGenerator<ToldLine> {
  const decoder = new TextDecoder(), reader = body.getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    const lines = (rest + decoder.decode(value, { stream: !done })).split("\n");
    rest = lines.pop()!;
    for (const line of lines) if (line !== "") yield JSON.parse(line);
    if (done) return;
  }
}

function errorOf(said: unknown): ApiError {
  const { code = "Internal", message = "it failed", details } = (said ?? {}) as {
    code?: string;
    message?: string;
    details?: unknown;
  };
  return new ApiError(code, message, details);
}

/**
 * Calls a command by its wire name.
 *
 * @param told is given each line as it comes; the next is read when it is done
 * @returns its result
 * @throws {ApiError}
 */
export async function followCommand(
  command: string,
  input: unknown,
  told: (line: ToldLine) => void | Promise<void>,
  transport: Transport = postCommand,
): Promise<unknown> {
  let response: Response | undefined;
  const answered = async () => response = await transport(command, input, LINES_TYPE);
  try {
    await answered();
  } catch (error) {
    // As any call says it
    return await call(command, input, () => Promise.reject(error));
  }
  // What is refused, and a server that knows no lines, answer as to any call
  const isLines = response!.headers.get("content-type")?.startsWith(LINES_TYPE) ?? false;
  if (!isLines || response!.body === null) {
    return await call(command, input, () => Promise.resolve(response!));
  }
  for await (const line of linesIn(response!.body)) {
    if ("result" in line) return line.result;
    if ("error" in line) throw errorOf(line.error);
    await told(line);
  }
  throw new ApiError("Unreachable", "the answer broke off: what was begun may go on");
}
