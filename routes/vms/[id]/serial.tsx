import { page } from "fresh";
import { signal } from "@preact/signals";
import { VmPage } from "../../../components/vm/VmPage.tsx";
import SerialConsole from "../../../islands/SerialConsole.tsx";
import { oneLine } from "../../../lib/text/text.ts";
import { t, textsOf } from "../../../lib/i18n/mod.ts";
import { define } from "../../../lib/page_state.ts";
import { chosenLine, lineState, serialLines } from "../../../lib/formats/xml/serial.ts";
import { serial } from "../../../lib/i18n/en/serial.ts";
import { fail } from "../../(_shared)/fail.ts";
import { vmOf } from "../../(_shared)/vm.ts";

const texts = textsOf(serial);

export const handler = define.handlers({
  async GET(ctx) {
    const vm = await vmOf(ctx);
    const { xml } = await ctx.state.api.getVmXml({ vmId: vm.id }).catch(fail);
    const lines = serialLines(xml), asked = ctx.url.searchParams.get("line") ?? "";
    const wanted = /^\d{1,2}$/.test(asked) ? Number(asked) : undefined;
    const chosen = chosenLine(lines, wanted);
    const at = typeof chosen === "string" ? wanted ?? 0 : lines.indexOf(chosen);
    return page({ vm, line: lineState(lines, wanted), lines: lines.length, at, now: Date.now() });
  },
});

/** A VM's serial console. */
export default define.page<typeof handler>(function VmSerial({ data, state }) {
  const { vm, line, lines, at, now } = data;
  const shared = signal(vm);
  return (
    <VmPage
      vm={shared}
      state={state}
      now={now}
      title={`${oneLine(vm.name, 60)} · ${t("vm.tab_serial")}`}
      at="/serial"
    >
      {lines > 1 && (
        <nav class="panel serial-lines" aria-label={texts.t("serial.lines")}>
          {Array.from({ length: lines }, (_, each) => (
            <a
              key={each}
              class="button"
              href={`/vms/${encodeURIComponent(vm.id)}/serial?line=${each}`}
              aria-current={each === at ? "page" : undefined}
            >
              {texts.t("serial.line", { n: each })}
            </a>
          ))}
        </nav>
      )}
      <SerialConsole vm={shared} line={line} number={lines > 1 ? at : undefined} />
    </VmPage>
  );
});
