import { page } from "fresh";
import { signal } from "@preact/signals";
import { VmPage } from "../../../components/VmPage.tsx";
import { XmlCode } from "../../../components/XmlCode.tsx";
import CopyText from "../../../islands/CopyText.tsx";
import { oneLine } from "../../../lib/format/text.ts";
import { xml as xmlTexts } from "../../../lib/i18n/en/xml.ts";
import { type PlainKeyOf, t, textsOf } from "../../../lib/i18n/mod.ts";
import { define } from "../../../lib/page_state.ts";
import { fail } from "../../(_shared)/fail.ts";
import { vmOf } from "../../(_shared)/vm.ts";

const texts = textsOf(xmlTexts);

/** Which of a machine's two configurations. */
const VERSIONS: readonly { config: "live" | "next"; label: PlainKeyOf<typeof xmlTexts> }[] = [
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
    <VmPage
      vm={signal(vm)}
      connected={state.connection.connected}
      now={now}
      title={`${oneLine(vm.name, 60)} · ${t("vm.tab_xml")}`}
      at="/xml"
    >
      <section class="panel" aria-label={t("vm.tab_xml")}>
        <header class="panel-head">
          {isOn
            ? (
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
            )
            : <p class="muted">{texts.t("xml.off")}</p>}
          <CopyText text={xml} what={t("vm.tab_xml")} />
        </header>
        <XmlCode xml={xml} />
      </section>
    </VmPage>
  );
});
