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
import { xmlPage as texts } from "../lib/i18n/en/xml.ts";
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
  /** Text of a plain form that was sent before. */
  typed?: string;
  /** Problem in that text. */
  problem?: XmlProblem;
}

/** The problem that an error of the server describes, when it is one of the XML. */
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
/** Verdict of libvirt on the text. */
function XmlVerdict(
  { problem, checked, onGo }: {
    problem: XmlProblem | null;
    checked: "no" | "checking" | "fine";
    onGo: (line: number) => void;
  },
) {
  const line = problem?.line;
  return (
    <div class="xml-status" role="status">
      {problem !== null
        ? (
          <div class="xml-problem">
            <Icon name="circleAlert" />
            {line !== undefined && (
              <button type="button" class="button" onClick={() => onGo(line)}>
                {t("xml.go", { line })}
              </button>
            )}
            <p class="error-text">{problem.message}</p>
          </div>
        )
        : checked === "fine"
        ? (
          <p class="xml-fine">
            <Icon name="check" /> {t("xml.fine")}
          </p>
        )
        : <p class="text-muted">{checked === "checking" ? t("xml.checking") : t("xml.keys")}</p>}
    </div>
  );
}

/** The difference that is saved, before it is. */
function XmlReview(
  { open, before, after, isSaving, onSave, onClose }: {
    open: boolean;
    before: string;
    after: string;
    isSaving: boolean;
    onSave: () => void;
    onClose: () => void;
  },
) {
  const isChanged = before !== after;
  return (
    <Dialog
      class="xml-review"
      open={open}
      title={t("xml.review_title")}
      onClose={onClose}
    >
      <div class="dialog-body">
        {isChanged ? <DiffView before={before} after={after} /> : <p>{t("xml.unchanged")}</p>}
      </div>
      <div class="dialog-foot">
        <button type="button" class="button" onClick={onClose}>
          {t("xml.cancel")}
        </button>
        <button
          type="button"
          class="button primary"
          disabled={!isChanged || isSaving}
          onClick={onSave}
        >
          {t("xml.save")}
        </button>
      </div>
    </Dialog>
  );
}
/** The text, and the verdict of libvirt on it, which is asked for a moment after the last key. */
function useCheckedText({ vmId, typed, xml, problem: given }: XmlEditorProps, saved: () => string) {
  const text = useSignal(typed ?? xml);
  const problem = useSignal<XmlProblem | null>(given ?? null);
  const checked = useSignal<"no" | "checking" | "fine">("no");
  const round = useRef(0);

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
      if (now !== saved()) timer = setTimeout(check, PAUSE_MS);
    });
    return () => {
      stop();
      clearTimeout(timer);
    };
  }, []);

  /** Something was typed: what was found out is about another text. */
  const type = (now: string) => {
    text.value = now;
    round.current++;
    checked.value = "no";
  };

  return { text, problem, checked, check, type };
}

/** Editing of the XML: its text, and what is done with it. */
function useXmlText(props: XmlEditorProps) {
  const { vmId } = props;
  const base = useSignal({ xml: props.xml, etag: props.etag });
  const checkedText = useCheckedText(props, () => base.peek().xml);
  const { text, problem, checked, check } = checkedText;
  const isAsking = useSignal(false);
  const isSaving = useSignal(false);
  const hasConflict = useSignal(false);
  const isChanged = useComputed(() => text.value !== base.value.xml);
  const area = useRef<HTMLTextAreaElement>(null);
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

  return {
    ...checkedText,
    base,
    isAsking,
    isSaving,
    hasConflict,
    area,
    goTo,
    ask,
    save,
  };
}

/** Editing a VM's XML: coloured, checked by libvirt while it is written, shown as a difference before it is saved. */
export default function XmlEditor(props: XmlEditorProps) {
  const xml = useXmlText(props), { base, text, problem, checked, isAsking, isSaving } = xml;
  const hints = useId();
  return (
    <form method="post" onSubmit={xml.ask}>
      <input type="hidden" name="etag" value={base.value.etag} />
      {xml.hasConflict.value && <Flash tone="bad" title={t("xml.conflict")}>{t("xml.conflict_what")}</Flash>}
      <XmlTextArea
        text={text.value}
        problem={problem.value}
        area={xml.area}
        describedBy={hints}
        onText={xml.type}
      />
      <XmlVerdict problem={problem.value} checked={checked.value} onGo={xml.goTo} />
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
            void xml.check();
          }}
        >
          {t("xml.check")}
        </button>
        <button type="submit" class="button primary" name="intent" value="save">{t("xml.review")}</button>
      </footer>
      <XmlReview
        open={isAsking.value}
        before={base.value.xml}
        after={text.value}
        isSaving={isSaving.value}
        onSave={xml.save}
        onClose={() => isAsking.value = false}
      />
    </form>
  );
}
