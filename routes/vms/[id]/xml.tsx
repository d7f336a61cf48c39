import { page } from "fresh";
import { signal } from "@preact/signals";
import { Flash } from "../../../components/kit/Flash.tsx";
import { VmPage } from "../../../components/vm/VmPage.tsx";
import { XmlCode } from "../../../components/vm/XmlCode.tsx";
import CopyText from "../../../islands/CopyText.tsx";
import XmlEditor from "../../../islands/XmlEditor.tsx";
import type { VM, XmlProblem } from "../../../lib/contract/mod.ts";
import { failureOf } from "../../../lib/text/failure.ts";
import { oneLine } from "../../../lib/text/text.ts";
import { xmlPage as xmlTexts } from "../../../lib/i18n/en/xml.ts";
import { type PlainKeyOf, t, textsOf } from "../../../lib/i18n/mod.ts";
import { define, type PageState } from "../../../lib/page_state.ts";
import { isLive } from "../../../lib/vm/state.ts";
import { postedForm } from "../../(_shared)/form.ts";
import { fail } from "../../(_shared)/fail.ts";
import { vmOf } from "../../(_shared)/vm.ts";

const texts = textsOf(xmlTexts);

/** The two configurations of a VM, with their labels. */
const VERSIONS: readonly { config: "live" | "next"; label: PlainKeyOf<typeof xmlTexts> }[] = [
  { config: "live", label: "xml.live" },
  { config: "next", label: "xml.next" },
];

/** Edited XML, and the result of the last try without script. */
interface Editing {
  readonly etag: string;
  readonly typed?: string;
  readonly problem?: XmlProblem;
  /** libvirt was asked, and has nothing against it. */
  readonly fine?: boolean;
}

/** There are passwords in the page. */
const KEPT_NOWHERE = { headers: { "cache-control": "no-store" } };

/** The XML to edit, with secrets: administrators alone get it. */
async function editable(api: PageState["api"], vm: VM, rest: Omit<Editing, "etag"> = {}) {
  const { xml, etag = "" } = await api.getVmXml({ vmId: vm.id, secure: true, inactive: true }).catch(fail);
  const editing: Editing = { etag, ...rest };
  return { vm, xml, inactive: true, editing, now: Date.now() };
}

export const handler = define.handlers({
  async GET(ctx) {
    const vm = await vmOf(ctx);
    const { searchParams } = ctx.url;
    if (searchParams.has("edit") && vm.persistent) {
      return page(await editable(ctx.state.api, vm), KEPT_NOWHERE);
    }
    const inactive = searchParams.get("config") === "next" || !isLive(vm);
    const { xml } = await ctx.state.api.getVmXml({ vmId: vm.id, inactive }).catch(fail);
    const editing: Editing | null = null;
    return page({ vm, xml, inactive, editing, now: Date.now() });
  },

  /** The editor's form, where there is no script. */
  async POST(ctx) {
    const vm = await vmOf(ctx);
    const form = await postedForm(ctx.req);
    const typed = String(form.get("xml") ?? "").replace(/\r\n?/g, "\n");
    const { api } = ctx.state;
    if (form.get("intent") === "check") {
      const { problem } = await api.checkVmXml({ vmId: vm.id, xml: typed }).catch(fail);
      return page(
        await editable(api, vm, { typed, ...(problem ? { problem } : { fine: true }) }),
        KEPT_NOWHERE,
      );
    }
    try {
      await api.setVmXml({ vmId: vm.id, xml: typed, etag: String(form.get("etag") ?? "") });
    } catch (error) {
      const { code, why } = failureOf(error);
      if (!code.startsWith("Xml")) fail(error);
      const { line } = ((error as { details?: { line?: number } }).details) ?? {};
      const problem = { message: why, ...(line !== undefined && { line }) };
      return page(await editable(api, vm, { typed, problem }), KEPT_NOWHERE);
    }
    ctx.state.notify({ is: "done", word: "set_vm_xml", name: vm.name });
    return ctx.redirect(`/vms/${encodeURIComponent(vm.id)}/xml?config=next`, 303);
  },
});

/** Links to the VM's two configurations. */
function Versions({ vm, inactive }: { vm: VM; inactive: boolean }) {
  if (!isLive(vm)) return <p class="text-muted">{texts.t("xml.off")}</p>;
  return (
    <nav class="segments" aria-label={texts.t("xml.which")}>
      {VERSIONS.map(({ config, label }) => (
        <a
          key={config}
          class="segment words"
          href={`?config=${config}`}
          aria-current={(config === "next") === inactive ? "true" : undefined}
        >
          {texts.t(label)}
        </a>
      ))}
    </nav>
  );
}

/** A VM's configuration as libvirt has it, to read or to edit. */
export default define.page<typeof handler>(function VmXml({ data, state }) {
  const { vm, xml, inactive, editing, now } = data;
  const here = `/vms/${encodeURIComponent(vm.id)}`;
  return (
    <VmPage
      vm={signal(vm)}
      state={state}
      now={now}
      title={`${oneLine(vm.name, 60)} · ${t("vm.tab_xml")}`}
      at="/xml"
    >
      <div class="xml-page">
        {editing !== null && (
          <Flash tone="warn" icon="alert" title={texts.t("xml.editing")}>
            {texts.t("xml.secrets")} {isLive(vm) && texts.t("xml.running")}
          </Flash>
        )}
        <Flash tone="ok">{editing?.fine && texts.t("xml.fine")}</Flash>
        <section class="panel" aria-label={t("vm.tab_xml")}>
          {editing === null
            ? (
              <>
                <header class="panel-head">
                  <Versions vm={vm} inactive={inactive} />
                  <span class="panel-actions">
                    {vm.persistent && <a class="button" href="?edit=1">{texts.t("xml.edit")}</a>}
                    <a class="button" href={`${here}/export`} download>{texts.t("xml.download")}</a>
                    <CopyText text={xml} what={t("vm.tab_xml")} />
                  </span>
                </header>
                <XmlCode xml={xml} />
              </>
            )
            : (
              <XmlEditor
                vmId={vm.id}
                xml={xml}
                etag={editing.etag}
                {...(editing.typed !== undefined && { typed: editing.typed })}
                {...(editing.problem && { problem: editing.problem })}
              />
            )}
        </section>
      </div>
    </VmPage>
  );
});
