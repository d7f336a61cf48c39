import { vmObjectOf } from "../../../lib/vm/object.ts";
import { page } from "fresh";
import { Head } from "fresh/runtime";
import { Flash } from "../../../components/kit/Flash.tsx";
import { BOOT_FROM, type BootFrom, type VM } from "../../../lib/contract/vm.ts";
import { manage } from "../../../lib/i18n/en/manage.ts";
import { type PlainKeyOf, t as common, textsOf } from "../../../lib/i18n/mod.ts";
import { define } from "../../../lib/page_state.ts";
import { formHref } from "../../../lib/text/form_href.ts";
import { oneLine } from "../../../lib/text/text.ts";
import { bootObstacle } from "../../../lib/vm/boot_once.ts";
import { disksAtRest } from "../../../lib/vm/manage.ts";
import { vmOf } from "../../(_shared)/vm.ts";

const { t } = textsOf(manage);

export const handler = define.handlers({
  async GET(ctx) {
    return page({ vm: await vmOf(ctx), typed: ctx.state.refused?.typed.bootFrom });
  },
});

/** Choice → its words. */
const WORDS = {
  disk: { label: "manage.boot_disk", what: "manage.boot_disk_what" },
  cdrom: { label: "manage.boot_cdrom", what: "manage.boot_cdrom_what" },
  network: { label: "manage.boot_network", what: "manage.boot_network_what" },
  menu: { label: "manage.boot_menu", what: "manage.boot_menu_what" },
} as const satisfies Record<BootFrom, Record<string, PlainKeyOf<typeof manage>>>;

/** The choices, each with what it does or why it cannot be chosen. */
function Choices({ vm, chosen, isOff }: { vm: VM; chosen: BootFrom | undefined; isOff: boolean }) {
  return (
    <fieldset class="choices">
      <legend>{t("manage.boot_from")}</legend>
      {BOOT_FROM.map((from) => {
        const obstacle = bootObstacle(from, vm);
        return (
          <label key={from} class="check">
            <input
              type="radio"
              name="bootFrom"
              value={from}
              required
              checked={from === chosen}
              disabled={isOff || obstacle !== undefined}
            />
            <span>
              <strong>{t(WORDS[from].label)}</strong>
              <span class="form-hint">{obstacle ?? t(WORDS[from].what)}</span>
            </span>
          </label>
        );
      })}
    </fieldset>
  );
}

/** Starting a VM from somewhere else than its boot order says, this once. */
export default define.page<typeof handler>(function BootOnce({ data: { vm, typed }, state }) {
  const here = `/vms/${encodeURIComponent(vm.id)}`, from = `${here}/boot`;
  const title = t("manage.boot_title", { name: oneLine(vm.name, 60) });
  const startTo = (to: string) => formHref("start_vm", { vmId: vm.id }, to, from);
  const isRight = disksAtRest(vm), mayStart = state.may("start_vm", vmObjectOf(vm));
  const isOff = !isRight || !mayStart;
  const possible = BOOT_FROM.filter((each) => bootObstacle(each, vm) === undefined);
  // A CD is what one mostly comes for
  const chosen = possible.find((each) => each === typed) ?? possible.find((each) => each === "cdrom") ??
    possible[0];
  const hasScreen = vm.graphics.length > 0;
  return (
    <>
      <Head>
        <title>{common("title.page", { page: title })}</title>
      </Head>
      <form class="panel narrow" method="post" action={startTo(here)}>
        <div class="dialog-body">
          <h1>{title}</h1>
          <p>{t("manage.boot_what")}</p>
          {!isRight && (
            <Flash tone="warn">
              {t(vm.state === "suspended" ? "manage.boot_suspended" : "manage.boot_not_off")}
            </Flash>
          )}
          <Choices vm={vm} chosen={chosen} isOff={isOff} />
        </div>
        <footer class="dialog-foot">
          <a class="button" href={here}>{t("manage.cancel")}</a>
          <button type="submit" class={hasScreen ? "button" : "button primary"} disabled={isOff}>
            {t("manage.boot_do")}
          </button>
          {hasScreen && (
            <button
              type="submit"
              class="button primary"
              formAction={startTo(`${here}/console`)}
              disabled={isOff}
            >
              {t("manage.boot_do_console")}
            </button>
          )}
        </footer>
      </form>
    </>
  );
});
