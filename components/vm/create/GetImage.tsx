import type { ImageWay, ImageWays } from "../../../lib/client/image_way.ts";
import { lazyPart, useLazy } from "../../../lib/client/use_lazy.ts";
import { useHydrated } from "../../../lib/client/use_hydrated.ts";
import { oneLine } from "../../../lib/text/text.ts";
import { Icon } from "../../kit/Icon.tsx";
import { poolHref } from "../../../lib/storage/pool_href.ts";
import { type CreateProps, imagePools, type ImageWayProps, OPEN_TEXT, t } from "./props.ts";
import { Flash } from "../../kit/Flash.tsx";
import { ActionLink } from "../../kit/ActionLink.tsx";
import { reportFailure } from "../../../lib/client/toasts.ts";
import { api } from "../../../lib/client/api.ts";
import { creatablePool } from "../../../lib/host/ready.ts";
import { ready } from "../../../lib/i18n/en/ready.ts";
import { textsOf } from "../../../lib/i18n/mod.ts";
import { doStep } from "./do_step.ts";

const readyTexts = textsOf(ready);

/** Way → the page of its own that a browser without script is sent to. */
const PAGES: Readonly<Record<ImageWay, (pool: string | undefined) => string | undefined>> = {
  catalog: () => "/images/catalog",
  url: () => "/images/new",
  upload: (pool) => pool === undefined ? undefined : `${poolHref(pool)}?do=upload`,
};

/** Form and result of a way to get an image, loaded when one was opened: no page carries it. */
const imageWay = lazyPart<ImageWayProps>(async () => (await import("./ImageWay.tsx")).ImageWayForm);

/** Steps for a host without a running pool for images. Their result shows by itself. */
function NoPool({ options: { pools }, allowed }: Pick<CreateProps, "options" | "allowed">) {
  const usual = allowed.createPool ? creatablePool(pools) : undefined;
  return (
    <Flash
      tone="warn"
      class="form-field wide"
      title={t("create.no_pool")}
      actions={
        <>
          {usual !== undefined && (
            <ActionLink
              class="button primary"
              href="/storage?do=create"
              enabled
              onAct={() => doStep(() => api.createStoragePool(usual))}
            >
              {readyTexts.t("ready.create_pool", usual)}
            </ActionLink>
          )}
          {pools.filter(({ active }) => !active).slice(0, 3).map(({ name }) => (
            <ActionLink
              key={name}
              class="button"
              href={poolHref(name)}
              enabled
              onAct={() => doStep(() => api.startStoragePool({ pool: name }))}
            >
              {t("create.start_pool", { pool: oneLine(name, 40) })}
            </ActionLink>
          ))}
          <a class="button" href="/storage?do=create" target="_blank" rel="noopener">
            {t("create.new_pool")}
            <Icon name="external" />
          </a>
        </>
      }
    >
      <p>{t("create.no_pool_what")}</p>
    </Flash>
  );
}

/**
 * Fetches an image without leaving the form: what was typed stays. Without script the same is offered by pages of
 * their own, in another tab.
 */
export function GetImage(
  { arrival: all, ways, ...parts }: Omit<ImageWayProps, "arrival"> & { arrival: ImageWays },
) {
  const isHydrated = useHydrated();
  const [pool] = imagePools(parts.options);
  const offered = ways.flatMap((way) => {
    const href = PAGES[way](pool);
    return href === undefined ? [] : [{ way, href, text: t(OPEN_TEXT[way]) }];
  });
  const open = all.open.value, busy = all.isBusy.value, arrival = all.arrival.value;
  const Way = useLazy(imageWay, arrival !== null);
  return (
    <>
      {pool === undefined && <NoPool {...parts} />}
      <div class="form-field wide image-sources">
        {offered.map(({ way, href, text }) =>
          isHydrated
            ? (
              <button
                key={way}
                type="button"
                class="button"
                aria-expanded={open === way}
                disabled={busy && open !== way}
                onClick={() => all.toggle(way).catch((error) => reportFailure(undefined, error))}
              >
                {text}
              </button>
            )
            : (
              <a key={way} class="button" href={href} target="_blank" rel="noopener">
                {text}
                <Icon name="external" />
              </a>
            )
        )}
      </div>
      {Way && arrival && <Way arrival={arrival} ways={ways} {...parts} />}
    </>
  );
}
