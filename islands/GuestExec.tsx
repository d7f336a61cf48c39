import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { TextField } from "../components/kit/Field.tsx";
import { Panel } from "../components/kit/Panel.tsx";
import { api } from "../lib/client/api.ts";
import type { ExecResult } from "../lib/contract/mod.ts";
import { NO_LINES, recall, remember } from "../lib/guest/recall.ts";
import { wordsOf } from "../lib/guest/words.ts";
import { guest as texts } from "../lib/i18n/en/guest.ts";
import { textsOf } from "../lib/i18n/mod.ts";
import { failureOf } from "../lib/text/failure.ts";

const { t } = textsOf(texts);

/** Programs whose output stays on the page. */
const MOST = 50;

/** A program that was run, and what it has said by now. */
interface Entry {
  readonly id: number;
  readonly line: string;
  readonly result: ExecResult | null;
  readonly failure: string | null;
}

function Outcome({ entry: { result, failure } }: { entry: Entry }) {
  if (failure !== null) return <p class="error-text" role="alert">{failure}</p>;
  if (result === null) return <p class="text-muted">{t("guest.running")}</p>;
  const { stdout, stderr, exitCode, timedOut, stdoutTruncated, stderrTruncated } = result;
  return (
    <>
      {stdout !== "" && <pre>{stdout}</pre>}
      {stderr !== "" && <pre data-stream="stderr">{stderr}</pre>}
      {(stdoutTruncated || stderrTruncated) && <p class="text-muted">{t("guest.cut")}</p>}
      {(exitCode !== 0 || stdout + stderr === "") && (
        <p class={exitCode === 0 ? "text-muted" : "error-text"}>
          {timedOut ? t("guest.ended") : t("guest.exit", { code: exitCode })}
        </p>
      )}
    </>
  );
}

/** Runs programs in a VM's guest, and keeps what they said while the page is open. */
export default function GuestExec({ vmId }: { vmId: string }) {
  const line = useSignal("");
  const typed = useSignal(NO_LINES);
  const entries = useSignal<readonly Entry[]>([]);
  const isRunning = useSignal(false);
  const problem = useSignal<string | null>(null);
  const shown = useRef<HTMLOListElement>(null);

  // The newest is below, where the next is typed
  useEffect(() => shown.current?.scrollTo({ top: shown.current.scrollHeight }), [entries.value]);

  const run = async (text: string) => {
    const words = wordsOf(text);
    problem.value = words === null ? t("guest.unclosed") : null;
    const [command, ...args] = words ?? [];
    if (command === undefined || isRunning.value) return;
    const id = (entries.value.at(-1)?.id ?? 0) + 1;
    const put = (change: Partial<Entry>) => {
      entries.value = entries.value.map((each) => each.id === id ? { ...each, ...change } : each);
    };
    entries.value = [...entries.value, { id, line: text.trim(), result: null, failure: null }].slice(-MOST);
    typed.value = remember(typed.value, text.trim());
    isRunning.value = true;
    line.value = "";
    try {
      put({ result: await api.guestExec({ vmId, command, args }) });
    } catch (error) {
      put({ failure: failureOf(error).why });
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
        onSubmit={(event) => {
          event.preventDefault();
          void run(line.value);
        }}
      >
        <TextField
          label={t("guest.program")}
          hint={`${t("guest.exec_what")} ${t("guest.prompt_hint")}`}
          error={problem.value ?? undefined}
          name="program"
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
        <button type="submit" class="button primary" disabled={isRunning.value}>
          {t(isRunning.value ? "guest.running" : "guest.run")}
        </button>
      </form>
    </Panel>
  );
}
