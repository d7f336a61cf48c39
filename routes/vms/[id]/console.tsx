import { page } from "fresh";
import { signal } from "@preact/signals";
import { VmPage } from "../../../components/vm/VmPage.tsx";
import VncConsole from "../../../islands/VncConsole.tsx";
import { oneLine } from "../../../lib/text/text.ts";
import { console as consoleTexts } from "../../../lib/i18n/en/console.ts";
import { t, textsOf } from "../../../lib/i18n/mod.ts";
import { isLive } from "../../../lib/vm/state.ts";
import { define } from "../../../lib/page_state.ts";
import { vmOf } from "../../(_shared)/vm.ts";

const texts = textsOf(consoleTexts);

export const handler = define.handlers({
  async GET(ctx) {
    return page({ vm: await vmOf(ctx), now: Date.now() });
  },
});

/** A VM's screen. */
export default define.page<typeof handler>(function VmConsole({ data: { vm, now }, state }) {
  const { connected } = state.connection;
  const shared = signal(vm);
  const port = isLive(vm)
    ? vm.graphics.find(({ type, port }) => ["vnc", "spice"].includes(type) && port !== undefined)?.port
    : undefined;
  return (
    <VmPage
      vm={shared}
      state={state}
      now={now}
      title={`${oneLine(vm.name, 60)} · ${t("vm.tab_console")}`}
      at="/console"
    >
      <noscript>
        <div class="panel console-plain">
          <p>{texts.t(port === undefined ? "console.no_script_no_port" : "console.no_script")}</p>
          {port !== undefined && (
            <>
              <p>
                <a class="button" href={`/vms/${encodeURIComponent(vm.id)}/console.vv`}>
                  {texts.t("console.no_script_file")}
                </a>
              </p>
              <p class="text-muted">{texts.t("console.no_script_tunnel", { port, host: state.hostname })}</p>
            </>
          )}
        </div>
      </noscript>
      <VncConsole vm={shared} connected={connected} />
    </VmPage>
  );
});
