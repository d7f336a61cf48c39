import { page } from "fresh";
import { Head } from "fresh/runtime";
import { signal } from "@preact/signals";
import { VmTabs } from "../../../components/VmTabs.tsx";
import { XmlCode } from "../../../components/XmlCode.tsx";
import CopyText from "../../../islands/CopyText.tsx";
import VmHeader from "../../../islands/VmHeader.tsx";
import { oneLine } from "../../../lib/format/text.ts";
import { type PlainKey, t } from "../../../lib/i18n/mod.ts";
import { define } from "../../../lib/page_state.ts";
import { fail } from "../../(_shared)/fail.ts";
import { vmOf } from "../../(_shared)/vm.ts";

/** Which of a machine's two configurations. */
const VERSIONS: readonly { config: "live" | "next"; label: PlainKey }[] = [
  { config: "live", label: "xml.live" },
  { config: "next", label: "xml.next" },
];

export const handler = define.handlers({
  async GET(ctx) {
    const vm = await vmOf(ctx);
    const isOn = vm.state === "running" || vm.state === "paused";
    const inactive = ctx.url.searchParams.get("config") === "next" || !isOn;
    const { xml } = await ctx.state.api.getVmXml({ vmId: vm.id, inactive }).catch(fail);
    return page({ vm, xml, inactive, isOn, now: Date.now() });
  },
});

/** A machine's configuration as libvirt has it. */
export default define.page<typeof handler>(function VmXml({ data, state }) {
  const { vm, xml, inactive, isOn, now } = data;
  return (
    <>
      <Head>
        <title>{t("title.xml", { name: oneLine(vm.name, 60) })}</title>
      </Head>
      <VmHeader vm={signal(vm)} connected={state.connection.connected} now={now} />
      <VmTabs vmId={vm.id} at="/xml" />
      <section class="panel" aria-label={t("vm.tab_xml")}>
        <header class="panel-head">
          {isOn
            ? (
              <nav class="segments" aria-label={t("xml.which")}>
                {VERSIONS.map(({ config, label }) => (
                  <a
                    key={config}
                    class="segment words"
                    href={`?config=${config}`}
                    aria-current={(config === "next") === inactive ? "true" : undefined}
                  >
                    {t(label)}
                  </a>
                ))}
              </nav>
            )
            : <p class="muted">{t("xml.off")}</p>}
          <CopyText text={xml} what={t("vm.tab_xml")} />
        </header>
        <XmlCode xml={xml} />
      </section>
    </>
  );
});
