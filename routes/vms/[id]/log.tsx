import { page } from "fresh";
import { signal } from "@preact/signals";
import { Flash } from "../../../components/kit/Flash.tsx";
import { RelativeTime } from "../../../components/kit/RelativeTime.tsx";
import { VmPage } from "../../../components/vm/VmPage.tsx";
import CopyText from "../../../islands/CopyText.tsx";
import { LOG_LINES, type Output } from "../../../lib/contract/mod.ts";
import { manage } from "../../../lib/i18n/en/manage.ts";
import { t, textsOf } from "../../../lib/i18n/mod.ts";
import { define } from "../../../lib/page_state.ts";
import { type Failure, failureOf } from "../../../lib/text/failure.ts";
import { fail } from "../../(_shared)/fail.ts";
import { vmOf } from "../../(_shared)/vm.ts";

const texts = textsOf(manage);

/** The log, or why there is none: that is no failure of the page. */
type Shown = { readonly log: Output<"get_vm_log"> } | { readonly log: null; readonly failure: Failure };

export const handler = define.handlers({
  async GET(ctx) {
    const vm = await vmOf(ctx);
    const lines = ctx.url.searchParams.has("all") ? LOG_LINES.most : LOG_LINES.usual;
    const shown = await ctx.state.api.getVmLog({ vmId: vm.id, lines }).then(
      (log): Shown => ({ log }),
      (error): Shown => {
        const failure = failureOf(error);
        return failure.code.startsWith("VmLog") ? { log: null, failure } : fail(error);
      },
    );
    return page({ vm, lines, shown, now: Date.now() }, { headers: { "cache-control": "no-store" } });
  },
});

/** The lines, the newest first in view: the region is laid out from its end. */
function Lines({ log }: { log: string }) {
  return (
    <div class="code newest" tabIndex={0} role="region" aria-label={texts.t("manage.log_newest")}>
      <pre>{log}</pre>
    </div>
  );
}

/** QEMU's log of a VM: its end, with the newest lines in view. */
export default define.page<typeof handler>(function VmLog({ data: { vm, lines, shown, now }, state, url }) {
  const title = `${t("vm.qemu_log")} · ${vm.name}`;
  const { log } = shown;
  return (
    <VmPage vm={signal(vm)} state={state} now={now} title={title} at="/log">
      <div class="stack">
        <p class="text-muted">{texts.t("manage.log_what")}</p>
        {log === null
          ? (
            <Flash
              tone="info"
              title={texts.t(shown.failure.code === "VmLogMissing" ? "manage.log_none" : "manage.log_failed")}
              failure={shown.failure}
              actions={<a class="button" href={url.pathname + url.search}>{texts.t("manage.log_refresh")}</a>}
            />
          )
          : (
            <section class="panel" aria-label={t("vm.qemu_log")}>
              <header class="panel-head">
                <span class="text-muted">
                  {texts.t(log.complete ? "manage.log_all" : "manage.log_lines", { n: String(log.lines) })} ·
                  {" "}
                  {texts.t("manage.log_changed")} <RelativeTime at={log.changedAt} now={now} />
                </span>
                <span class="panel-actions">
                  {!log.complete && lines < LOG_LINES.most && (
                    <a class="button" href="?all=1">
                      {texts.t("manage.log_more", { n: String(LOG_LINES.most) })}
                    </a>
                  )}
                  <a class="button" href={url.pathname + url.search}>{texts.t("manage.log_refresh")}</a>
                  <CopyText text={log.log} what={texts.t("manage.log_copy")} />
                </span>
              </header>
              <Lines log={log.log} />
            </section>
          )}
      </div>
    </VmPage>
  );
});
