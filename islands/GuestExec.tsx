import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { TextField } from "../components/kit/Field.tsx";
import { Panel } from "../components/kit/Panel.tsx";
import { api } from "../lib/client/api.ts";
import { jobHref } from "../lib/text/job_href.ts";
import { followCommand, type ToldLine } from "../lib/client/follow.ts";
import type { ExecResult } from "../lib/contract/mod.ts";
import { NO_LINES, recall, remember } from "../lib/guest/recall.ts";
import { guest as texts } from "../lib/i18n/en/guest.ts";
import { textsOf } from "../lib/i18n/mod.ts";
import { failureOf } from "../lib/text/failure.ts";
import { formHref } from "../lib/text/form_href.ts";
import { refusalAt, type RefusedForm, typedAgain } from "../lib/text/refused_form.ts";
import { splitWords } from "../lib/text/words.ts";

const { t } = textsOf(texts);

/** Programs whose output stays on the page. */
const MOST = 50;
/** Characters that are shown of a part of an output, and parts of one program. */
const MOST_SHOWN = 256 * 1024, MOST_PARTS = 200;

/** A program that was run, and what it has said by now. */
interface Entry {
  readonly id: number;
  readonly line: string;
  /** Pieces of output so far, in their order. */
  readonly output: readonly { readonly stream: "stdout" | "stderr"; readonly text: string }[];
  readonly result: ExecResult | null;
  readonly failure: string | null;
  /** The task that has its output. */
  readonly jobId?: string;
}

const TASK = "guest_exec_task";

function End({ result, isEmpty }: { result: ExecResult; isEmpty: boolean }) {
  const { exitCode, timedOut, stdoutTruncated, stderrTruncated } = result;
  return (
    <>
      {(stdoutTruncated || stderrTruncated) && <p class="text-muted">{t("guest.cut")}</p>}
      {(exitCode !== 0 || isEmpty) && (
        <p class={exitCode === 0 ? "text-muted" : "error-text"}>
          {timedOut ? t("guest.ended") : t("guest.exit", { code: exitCode })}
        </p>
      )}
    </>
  );
}

function Outcome({ entry: { output, result, failure, jobId } }: { entry: Entry }) {
  if (jobId !== undefined) {
    return (
      <p>
        {t("guest.task")} <a href={jobHref(jobId)}>{t("guest.task_show")}</a>
      </p>
    );
  }
  return (
    <>
      {output.map(({ stream, text }, index) => <pre key={index} data-stream={stream}>{text}</pre>)}
      {failure !== null && <p class="error-text" role="alert">{failure}</p>}
      {failure === null && result === null && <p class="text-muted">{t("guest.running")}</p>}
      {result !== null && <End result={result} isEmpty={output.length === 0} />}
    </>
  );
}

/** Adds what came: to the last part where it is of the same stream. A program that writes without end loses its beginning. */
function added(output: Entry["output"], line: ToldLine): Entry["output"] {
  const stream = typeof line.stdout === "string" ? "stdout" : "stderr", text = line[stream];
  if (typeof text !== "string" || text === "") return output;
  const last = output.at(-1);
  return last?.stream === stream
    ? [...output.slice(0, -1), { stream, text: (last.text + text).slice(-MOST_SHOWN) }]
    : [...output, { stream, text } as const].slice(-MOST_PARTS);
}

/** Props of {@link GuestExec}. */
interface GuestExecProps {
  vmId: string;
  /** Address of the page. */
  at: string;
  /** A form of this page that was refused. */
  refused: RefusedForm | null;
}

/** The line that is typed, and the programs that were run. */
function useGuestPrompt({ vmId, refused }: Pick<GuestExecProps, "vmId" | "refused">) {
  const line = useSignal(typedAgain(refused, TASK)?.command ?? "");
  const typed = useSignal(NO_LINES);
  const entries = useSignal<readonly Entry[]>([]);
  const isRunning = useSignal(false);
  const problem = useSignal<string | null>(refusalAt(refused, TASK, "command") ?? null);

  const run = async (text: string, isTask: boolean) => {
    const words = splitWords(text);
    problem.value = words === null ? t("guest.unclosed") : null;
    const [command, ...args] = words ?? [];
    if (command === undefined || isRunning.value) return;
    const id = (entries.value.at(-1)?.id ?? 0) + 1;
    const change = (make: (entry: Entry) => Entry) => {
      entries.value = entries.value.map((each) => each.id === id ? make(each) : each);
    };
    entries.value = [...entries.value, { id, line: text.trim(), output: [], result: null, failure: null }]
      .slice(-MOST);
    typed.value = remember(typed.value, text.trim());
    isRunning.value = true;
    line.value = "";
    const input = { vmId, command, args };
    try {
      if (isTask) {
        const { jobId } = await api.guestExecTask(input);
        return change((entry) => ({ ...entry, jobId }));
      }
      const result = await followCommand("guest_exec", input, (line) => {
        change((entry) => ({ ...entry, output: added(entry.output, line) }));
      }) as ExecResult;
      change((entry) => ({ ...entry, result }));
    } catch (error) {
      const failure = failureOf(error).why;
      change((entry) => ({ ...entry, failure }));
    } finally {
      isRunning.value = false;
    }
  };

  const bringBack = (event: KeyboardEvent) => {
    const step = event.key === "ArrowUp" ? -1 : event.key === "ArrowDown" ? 1 : undefined;
    const found = step && recall(typed.value, line.value, step);
    if (!found) return;
    event.preventDefault();
    typed.value = found.recall;
    line.value = found.line;
  };

  return { line, entries, isRunning, problem, run, bringBack };
}

/**
 * Runs programs in a VM's guest, and keeps what they said while the page is open; or as tasks, which is what the form does
 * without script.
 */
export default function GuestExec({ vmId, at, refused }: GuestExecProps) {
  const { line, entries, isRunning, problem, run, bringBack } = useGuestPrompt({ vmId, refused });
  const shown = useRef<HTMLOListElement>(null);

  // The newest is below, where the next is typed
  useEffect(() => shown.current?.scrollTo({ top: shown.current.scrollHeight }), [entries.value]);

  return (
    <Panel
      title={t("guest.exec")}
      aside={entries.value.length > 0 && !isRunning.value && (
        <button
          type="button"
          class="button small"
          onClick={() => entries.value = []}
        >
          {t("guest.clear")}
        </button>
      )}
    >
      {entries.value.length > 0 && (
        <ol
          class="guest-terminal"
          ref={shown}
          tabIndex={0}
          aria-label={t("guest.terminal")}
          aria-live="polite"
        >
          {entries.value.map((entry) => (
            <li key={entry.id}>
              <p class="guest-typed">{entry.line}</p>
              <Outcome entry={entry} />
            </li>
          ))}
        </ol>
      )}
      <form
        class="guest-exec"
        method="post"
        action={formHref(TASK, { vmId }, "/tasks/{jobId}", at)}
        onSubmit={(event) => {
          event.preventDefault();
          void run(line.value, (event.submitter as HTMLButtonElement | null)?.value === TASK);
        }}
      >
        <TextField
          label={t("guest.program")}
          hint={
            <>
              {t("guest.exec_what")} <span class="needs-script">{t("guest.prompt_hint")}</span>{" "}
              {t("guest.task_hint")}
            </>
          }
          error={problem.value ?? undefined}
          name="command"
          wide
          class="input mono"
          autocomplete="off"
          autocapitalize="off"
          spellcheck={false}
          value={line.value}
          onInput={(event) => line.value = event.currentTarget.value}
          onKeyDown={bringBack}
          placeholder="uname -a"
        />
        <button type="submit" class="button primary needs-script" disabled={isRunning.value}>
          {t(isRunning.value ? "guest.running" : "guest.run")}
        </button>
        <button type="submit" class="button" value={TASK} disabled={isRunning.value}>
          {t("guest.run_task")}
        </button>
      </form>
    </Panel>
  );
}
