import { useComputed, useSignal } from "@preact/signals";
import { useEffect, useId, useRef } from "preact/hooks";
import { Dialog } from "../components/kit/Dialog.tsx";
import { DiffView } from "../components/kit/DiffView.tsx";
import { Icon } from "../components/kit/Icon.tsx";
import { XmlTextArea } from "../components/vm/XmlTextArea.tsx";
import { api, ApiError } from "../lib/client/api.ts";
import { report, reportFailure } from "../lib/client/toasts.ts";
import { useLeaveWarning } from "../lib/client/use_leave_warning.ts";
import { lineRange } from "../lib/client/xml_edit.ts";
import type { XmlProblem } from "../lib/contract/mod.ts";
import { xml as texts } from "../lib/i18n/en/xml.ts";
import { textsOf } from "../lib/i18n/mod.ts";
import { Flash } from "../components/kit/Flash.tsx";

const { t } = textsOf(texts);

/** Milliseconds after the last key when the text is checked. */
const PAUSE_MS = 900;
/** Height of a line in the editor, in pixels; as in the stylesheet. */
const LINE = 20;

/** Props of {@link XmlEditor}. */
export interface XmlEditorProps {
  vmId: string;
  /** The XML as it is saved. */
  xml: string;
  /** Its version. */
  etag: string;
  /** What was typed before, when a plain form brought it back. */
  typed?: string;
  /** What was wrong with it. */
  problem?: XmlProblem;
}

/** The problem an error of the server tells of, when it is one of the XML. */
function problemIn(error: unknown): XmlProblem | null {
  if (!(error instanceof ApiError) || (error.code !== "XmlInvalid" && error.code !== "XmlIdentity")) {
    return null;
  }
  const { line, message } = (error.details ?? {}) as { line?: unknown; message?: unknown };
  return {
    message: typeof message === "string" ? message : error.message,
    ...(typeof line === "number" && { line }),
  };
}

/** Editing a VM's XML: coloured, checked by libvirt while it is written, shown as a difference before it is saved. */
export default function XmlEditor(props: XmlEditorProps) {
  const { vmId } = props;
  const base = useSignal({ xml: props.xml, etag: props.etag });
  const text = useSignal(props.typed ?? props.xml);
  const problem = useSignal<XmlProblem | null>(props.problem ?? null);
  const checked = useSignal<"no" | "checking" | "fine">("no");
  const isAsking = useSignal(false);
  const isSaving = useSignal(false);
  const hasConflict = useSignal(false);
  const isChanged = useComputed(() => text.value !== base.value.xml);
  const area = useRef<HTMLTextAreaElement>(null);
  const round = useRef(0);
  const hints = useId();

  /** Asks libvirt about the text; false when it has something against it, or could not be asked. */
  const check = async (): Promise<boolean> => {
    const mine = ++round.current;
    checked.value = "checking";
    try {
      const found = (await api.checkVmXml({ vmId, xml: text.peek() })).problem;
      if (mine !== round.current) return false; // typed on meanwhile: this answer is about another text
      problem.value = found;
      checked.value = found === null ? "fine" : "no";
      return found === null;
    } catch (error) {
      if (mine === round.current) checked.value = "no";
      reportFailure({ sentence: t("xml.failed_check") }, error);
      return false;
    }
  };

  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const stop = text.subscribe((now) => {
      clearTimeout(timer);
      if (now !== base.peek().xml) timer = setTimeout(check, PAUSE_MS);
    });
    return () => {
      stop();
      clearTimeout(timer);
    };
  }, []);
  useLeaveWarning(() => isChanged.peek());

  const load = async () => {
    const { xml, etag = "" } = await api.getVmXml({ vmId, secure: true, inactive: true });
    return { xml, etag };
  };

  const goTo = (line: number) => {
    const element = area.current;
    if (element === null) return;
    const { start, end } = lineRange(text.peek(), line);
    element.focus();
    element.setSelectionRange(start, end);
    const frame = element.closest(".xml-editor");
    if (frame) frame.scrollTop = Math.max(0, (line - 1) * LINE - frame.clientHeight / 2);
  };

  const ask = async (event: Event) => {
    event.preventDefault();
    if (await check()) isAsking.value = true;
    else if (problem.peek()?.line !== undefined) goTo(problem.peek()!.line!);
  };

  const undo = async (xml: string, etag: string) => {
    try {
      await api.setVmXml({ vmId, xml, etag });
      base.value = await load();
      text.value = base.peek().xml;
      report(t("xml.undone"));
    } catch (error) {
      reportFailure({ sentence: t("xml.failed") }, error);
    }
  };

  const save = async () => {
    const before = base.peek();
    isSaving.value = true;
    try {
      const { etag, pending } = await api.setVmXml({ vmId, xml: text.peek(), etag: before.etag });
      base.value = await load();
      text.value = base.peek().xml;
      checked.value = "no";
      hasConflict.value = false;
      report(t(pending ? "xml.saved_next" : "xml.saved"), {
        label: t("xml.undo"),
        run: () => undo(before.xml, etag),
      });
    } catch (error) {
      const found = problemIn(error);
      problem.value = found;
      if (error instanceof ApiError && error.code === "XmlChanged") {
        hasConflict.value = true;
        base.value = await load().catch(() => before);
      } else if (found === null) reportFailure({ sentence: t("xml.failed") }, error);
    } finally {
      isSaving.value = false;
      isAsking.value = false;
    }
  };

  const line = problem.value?.line;
  return (
    <form method="post" onSubmit={ask}>
      <input type="hidden" name="etag" value={base.value.etag} />
      {hasConflict.value && <Flash tone="bad" title={t("xml.conflict")}>{t("xml.conflict_what")}</Flash>}
      <XmlTextArea
        text={text.value}
        problem={problem.value}
        area={area}
        describedBy={hints}
        onText={(now) => {
          text.value = now;
          round.current++;
          checked.value = "no";
        }}
      />
      <div class="xml-status" role="status">
        {problem.value !== null
          ? (
            <div class="xml-problem">
              <Icon name="circleAlert" />
              {line !== undefined && (
                <button type="button" class="button" onClick={() => goTo(line)}>
                  {t("xml.go", { line })}
                </button>
              )}
              <p class="error-text">{problem.value.message}</p>
            </div>
          )
          : checked.value === "fine"
          ? (
            <p class="xml-fine">
              <Icon name="check" /> {t("xml.fine")}
            </p>
          )
          : <p class="text-muted">{checked.value === "checking" ? t("xml.checking") : t("xml.keys")}</p>}
      </div>
      <p class="visually-hidden" id={hints}>{t("xml.keys")}</p>
      <footer class="xml-foot">
        <a class="button" href="?config=next">{t("xml.cancel")}</a>
        <button
          type="submit"
          class="button"
          name="intent"
          value="check"
          onClick={(event) => {
            event.preventDefault();
            void check();
          }}
        >
          {t("xml.check")}
        </button>
        <button type="submit" class="button primary" name="intent" value="save">{t("xml.review")}</button>
      </footer>
      <Dialog
        class="xml-review"
        open={isAsking.value}
        title={t("xml.review_title")}
        onClose={() => isAsking.value = false}
      >
        <div class="dialog-body">
          {isChanged.value
            ? <DiffView before={base.value.xml} after={text.value} />
            : <p>{t("xml.unchanged")}</p>}
        </div>
        <div class="dialog-foot">
          <button type="button" class="button" onClick={() => isAsking.value = false}>
            {t("xml.cancel")}
          </button>
          <button
            type="button"
            class="button primary"
            disabled={!isChanged.value || isSaving.value}
            onClick={save}
          >
            {t("xml.save")}
          </button>
        </div>
      </Dialog>
    </form>
  );
}
