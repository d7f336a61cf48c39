/** Files of a guest through QEMU's guest agent: opened, read and written in pieces. */
import { ContractError, type GuestFile, type VM } from "../../../lib/contract/mod.ts";
import { SHELL } from "../../../lib/guest/bounded_run.ts";
import { listCommand, listedFiles } from "../../../lib/guest/file_list.ts";
import { messageOf } from "../../../lib/text/message.ts";
import { log } from "../../log.ts";
import type { ExecOutcome, ExecRequest, GuestReader, GuestWriter } from "../backend.ts";
import { isSilence } from "../guest_lines.ts";
import type { QemuAgent } from "./agent.ts";
import { decodedBase64, FileRead, FileSought, FileWritten, GuestFileHandle, Nothing } from "./answers.ts";
import { message } from "../../../lib/i18n/message.ts";

/** Bytes that are read at once: in base64 with room to spare below libvirt's 4 MiB. */
const PIECE = 1024 * 1024;
/** Bytes that are written at once: see `MOST_ASKED`. */
const WRITTEN_PIECE = 64 * 1024;
/** Characters of the answer with a piece. */
const PIECE_CHARACTERS = Math.ceil(PIECE / 3) * 4 + 1024;
/** Seconds for a piece: a guest writes it to its disk. */
const PIECE_SECONDS = 30;
/** Seconds in which a guest counts the checksum of what it has written, and puts it into its place. */
const FINISH_SECONDS = 600;
/** Ends the name of a file that is not whole. */
const PART = ".kvm-manager-part";
/** Permissions of a new file. */
const NEW_MODE = "0644";

/** Error of the contract for the C library's errors of paths. */
function fileFailure(error: unknown, path: string): unknown {
  if (!(error instanceof ContractError) || error.code !== "GuestRefused") return error;
  if (
    /No such file or directory|nonexistent directory|Directory nonexistent|cannot find the (file|path)/i.test(
      error.message,
    )
  ) {
    return new ContractError("GuestFileNotFound", { path }, { cause: error });
  }
  const [, said] =
    /(Permission denied|Is a directory|Not a directory|Read-only file system|No space left on device|Text file busy|Operation not permitted|Access is denied|Too many levels of symbolic links|File name too long)/i
      .exec(error.message) ?? [];
  return said === undefined
    ? error
    : new ContractError("GuestFileDenied", { path, error: said }, { cause: error });
}

/** Begins a file next to its place, which only root in the guest can read or change; says what stands there now. */
const BEGIN = `p=$1
if [ -L "$p" ]; then p=$(readlink -f -- "$p") || exit 2; fi
if [ -d "$p" ]; then echo "Is a directory" >&2; exit 3; fi
if [ -e "$p" ] && [ ! -f "$p" ]; then echo "it is no ordinary file" >&2; exit 3; fi
umask 077
rm -f -- "$p${PART}" && : >"$p${PART}" || exit 4
if [ -e "$p" ]; then stat -c '%a %u:%g' -- "$p"; else echo "- -"; fi
printf '%s' "$p"`;

/** Checks it, and puts it into its place: the path, permissions, owner, checksum. 9: it holds something else. */
const FINISH = `p=$1 mode=$2 owner=$3 sum=$4
got=$(sha256sum <"$p${PART}") && [ "$got" != "$sum  -" ] && exit 9
if [ "$owner" != "-" ]; then chown -- "$owner" "$p${PART}"; fi
chmod -- "$mode" "$p${PART}" && mv -f -- "$p${PART}" "$p" || exit 4
[ -n "$got" ] && echo verified`;

const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

/** Runs a program in the guest. */
type Run = (vm: VM, request: ExecRequest) => Promise<ExecOutcome>;

export class QemuFiles {
  /** @param run undefined for a guest in which nothing can be run */
  constructor(private readonly agent: QemuAgent, private readonly run: Run) {}

  /** @throws {ContractError} GuestFileNotFound, GuestFileDenied */
  async list(vm: VM, path: string): Promise<{ files: GuestFile[]; truncated: boolean }> {
    const [command, ...args] = listCommand(path);
    const { stdout, stderr, exitCode, stdoutTruncated } = await this.run(vm, { command, args, seconds: 20 });
    const { files, truncated } = listedFiles(path, stdout);
    if (exitCode !== 0 && files.length === 0) {
      const error = new ContractError("GuestRefused", { error: text(stderr).trim().slice(0, 512) });
      throw fileFailure(error, path);
    }
    return { files, truncated: truncated || stdoutTruncated };
  }

  /** @throws {ContractError} GuestFileNotFound, GuestFileDenied */
  async open(vm: VM, path: string): Promise<GuestReader> {
    const { agent } = this;
    const handle = await this.#open(vm, path, "r");
    const seek = async (offset: number, whence: number) => {
      const args = { handle, offset, whence };
      return (await agent.ask(vm, "guest-file-seek", FileSought, args)).position;
    };
    const close = () => this.#close(vm, handle);
    try {
      // What the kernel makes up as it is read (/proc) has no size and no end to go to.
      const size = await seek(0, 2).catch((error) => {
        if (isSilence(error)) throw error;
        return 0;
      });
      if (size > 0) await seek(0, 0);
      return {
        size: size > 0 ? size : null,
        seek: async (offset) => void await seek(offset, 0),
        read: async (most) => {
          const count = Math.min(most, PIECE);
          const options = { most: PIECE_CHARACTERS, seconds: PIECE_SECONDS };
          try {
            const answer = await agent.ask(vm, "guest-file-read", FileRead, { handle, count }, options);
            const bytes = decodedBase64(answer["buf-b64"], "guest-file-read");
            if (bytes.length <= count) return bytes;
          } catch (error) {
            throw fileFailure(error, path);
          }
          throw new ContractError("GuestRefused", { error: "it gave more than it was asked for" });
        },
        [Symbol.asyncDispose]: close,
      };
    } catch (error) {
      await close();
      throw error;
    }
  }

  /** @throws {ContractError} GuestFileDenied */
  async makeFolder(vm: VM, path: string, mode = "0755"): Promise<void> {
    await this.#script(vm, path, 'mkdir -p -m "$2" -- "$1"', [path, mode], 20);
  }

  /** @throws {ContractError} GuestFileNotFound, GuestFileDenied */
  async append(vm: VM, path: string, bytes: Uint8Array): Promise<void> {
    const handle = await this.#open(vm, path, "a");
    try {
      await this.#write(vm, path, handle, bytes);
    } finally {
      await this.#close(vm, handle);
    }
  }

  /**
   * A file next to its place until it is whole. In a guest where nothing can be run, it is written where it goes.
   *
   * @throws {ContractError} GuestFileNotFound, GuestFileDenied
   */
  async create(vm: VM, path: string, mode: string | undefined, canRun: boolean): Promise<GuestWriter> {
    const begun = canRun ? await this.#begin(vm, path) : undefined;
    const place = begun?.place ?? path, part = begun === undefined ? path : `${place}${PART}`;
    const handle = await this.#open(vm, part, "w");
    let isOpen = true;
    const close = async () => {
      if (isOpen) await this.#close(vm, handle);
      isOpen = false;
    };
    return {
      write: async (bytes) => {
        await this.#write(vm, path, handle, bytes);
      },
      finish: async (sha256) => {
        await this.agent.ask(vm, "guest-file-flush", Nothing, { handle });
        await close();
        if (begun === undefined) return false;
        const { mode: present, owner } = begun;
        const args = [place, mode ?? present ?? NEW_MODE, owner ?? "-", sha256];
        const { stdout } = await this.#script(vm, path, FINISH, args, FINISH_SECONDS);
        return text(stdout).trim() === "verified";
      },
      abandon: async () => {
        try {
          await close();
          if (begun === undefined) return `${path} in the guest is not whole`;
          await this.run(vm, { command: "rm", args: ["-f", "--", part], seconds: 20 });
          return undefined;
        } catch (error) {
          log.warn("an unfinished file stays in a guest", { vm: vm.name, path: part, error });
          return `${part} stays in the guest: ${messageOf(error)}`;
        }
      },
    };
  }

  async #begin(vm: VM, path: string) {
    const { stdout } = await this.#script(vm, path, BEGIN, [path], 20);
    const [, mode = "-", owner = "-", place = ""] =
      /^(-|[0-7]{1,4}) (-|\d+:\d+)\n(\/.*)$/s.exec(text(stdout)) ??
        [];
    if (place === "") {
      throw new ContractError("GuestRefused", { error: "it does not say where the file goes" });
    }
    return {
      place,
      mode: mode === "-" ? undefined : mode.padStart(4, "0"),
      owner: owner === "-" ? undefined : owner,
    };
  }

  /** Runs one of the scripts above with its arguments. @throws {ContractError} ChecksumMismatch, and those of files */
  async #script(vm: VM, path: string, script: string, args: readonly string[], seconds: number) {
    const outcome = await this.run(vm, {
      command: SHELL,
      args: ["-c", script, "sh", ...args],
      seconds,
    });
    if (outcome.exitCode === 0) return outcome;
    if (outcome.exitCode === 9) {
      throw new ContractError("GuestCopyFailed", { error: "the guest has written something else" });
    }
    const error = text(outcome.stderr).trim().slice(0, 512) || `exit status ${outcome.exitCode}`;
    const failure = fileFailure(new ContractError("GuestRefused", { error }), path);
    throw failure instanceof ContractError && failure.code === "GuestRefused"
      ? new ContractError("GuestFileDenied", { path, error })
      : failure;
  }

  async #open(vm: VM, path: string, mode: "r" | "w" | "a"): Promise<number> {
    try {
      return await this.agent.ask(vm, "guest-file-open", GuestFileHandle, { path, mode });
    } catch (error) {
      throw fileFailure(error, path);
    }
  }

  async #write(vm: VM, path: string, handle: number, bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length;) {
      const piece = bytes.subarray(at, at + WRITTEN_PIECE);
      const args = { handle, "buf-b64": piece.toBase64() };
      try {
        const { count } = await this.agent.ask(vm, "guest-file-write", FileWritten, args, {
          seconds: PIECE_SECONDS,
        });
        if (count === 0 || count > bytes.length - at) {
          throw new ContractError("GuestRefused", {
            error: message`it wrote ${count} bytes of ${bytes.length - at}`,
          });
        }
        at += count;
      } catch (error) {
        throw fileFailure(error, path);
      }
    }
  }

  /** A handle that cannot be given back is the guest's loss. */
  async #close(vm: VM, handle: number): Promise<void> {
    try {
      await this.agent.ask(vm, "guest-file-close", Nothing, { handle });
    } catch (error) {
      log.debug("a file in a guest could not be closed", { vm: vm.name, error });
    }
  }
}
