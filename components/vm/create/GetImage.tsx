import { useEffect, useRef } from "preact/hooks";
import type { ImageArrival, ImageWay } from "../../../lib/client/image_arrival.ts";
import { useHydrated } from "../../../lib/client/use_hydrated.ts";
import { stayWhileSending } from "../../../lib/client/upload_model.ts";
import { heldImages } from "../../../lib/image/images.ts";
import { oneLine } from "../../../lib/text/text.ts";
import type { create } from "../../../lib/i18n/en/create.ts";
import type { PlainKeyOf } from "../../../lib/i18n/mod.ts";
import { SelectField, TextField } from "../../kit/Field.tsx";
import { Icon } from "../../kit/Icon.tsx";
import { JobItem } from "../../jobs/JobItem.tsx";
import { poolHref } from "../../../lib/storage/pool_href.ts";
import { UploadFile, UploadName, UploadProgress } from "../../storage/UploadParts.tsx";
import { type CreateProps, t } from "./props.ts";
import { Flash } from "../../kit/Flash.tsx";
import { ActionLink } from "../../kit/ActionLink.tsx";
import { api } from "../../../lib/client/api.ts";
import { reportFailure } from "../../../lib/client/toasts.ts";

type Text = PlainKeyOf<typeof create>;

/** Way → its button, what begins it, and the page of its own that a browser without script is sent to. */
const WAYS: Readonly<
  Record<ImageWay, { open: Text; start: Text; pageOf: (pool: string | undefined) => string | undefined }>
> = {
  catalog: { open: "create.get_catalog", start: "create.get_download", pageOf: () => "/images/catalog" },
  url: { open: "create.get_url", start: "create.get_download", pageOf: () => "/images/new" },
  upload: {
    open: "create.get_upload",
    start: "create.get_upload",
    pageOf: (pool) => pool === undefined ? undefined : `${poolHref(pool)}?do=upload`,
  },
};

/** Pools that images can be put into, the usual one first. */
export function imagePools({ pool: usual, pools }: CreateProps["options"]): string[] {
  return pools.filter(({ active, formats }) => active && formats.includes("qcow2")).map(({ name }) => name)
    .sort((a, b) => Number(b === usual) - Number(a === usual));
}

/** Props of {@link GetImage}. */
export interface GetImageProps extends Pick<CreateProps, "options" | "images"> {
  arrival: ImageArrival;
  /** The catalogue has disk images alone. */
  ways: readonly ImageWay[];
}

/** What the open way asks for. */
function WayFields({ arrival, options, images }: Omit<GetImageProps, "ways">) {
  const file = useRef<HTMLInputElement>(null);
  const way = arrival.way.value;
  const busy = arrival.isBusy.value;
  const pools = imagePools(options);
  const held = heldImages(arrival.catalog.value ?? [], images);
  return (
    <>
      {way === "catalog" && arrival.catalog.value !== null && (
        <SelectField
          wide
          label={t("create.get_catalog_image")}
          hint={t("create.get_catalog_hint")}
          value={arrival.catalogId.value}
          disabled={busy}
          choices={[...arrival.catalog.value]
            .sort((a, b) => Number(b.arch === options.arch) - Number(a.arch === options.arch))
            .map(({ id, name, arch }) => {
              const what = `${oneLine(name, 80)} (${arch})`;
              const pool = Object.hasOwn(held, id) ? held[id]!.pool : undefined;
              return { value: id, label: pool ? t("create.get_held", { what, pool }) : what };
            })}
          onChange={({ currentTarget }) => arrival.catalogId.value = currentTarget.value}
        />
      )}
      {way === "url" && (
        <>
          <TextField
            wide
            label={t("create.get_url_field")}
            hint={t("create.get_url_hint")}
            type="url"
            maxLength={4096}
            placeholder="https://"
            disabled={busy}
            value={arrival.url.value}
            onInput={({ currentTarget }) => arrival.url.value = currentTarget.value}
          />
          <TextField
            wide
            label={t("create.get_sum")}
            hint={t("create.get_sum_hint")}
            maxLength={4096}
            disabled={busy}
            value={arrival.checksum.value}
            onInput={({ currentTarget }) => arrival.checksum.value = currentTarget.value}
          />
        </>
      )}
      {way === "upload" && (
        <>
          <div class="form-field wide">
            <UploadFile model={arrival.upload} input={file} />
          </div>
          <UploadName model={arrival.upload} />
        </>
      )}
      {pools.length > 0 && (
        <SelectField
          label={t("create.get_pool")}
          value={arrival.pool.value}
          disabled={busy}
          choices={pools.map((name) => ({ value: name, label: oneLine(name, 60) }))}
          onChange={({ currentTarget }) => arrival.pool.value = currentTarget.value}
        />
      )}
    </>
  );
}

/** How far it is, what came of it. */
function Outcome({ arrival }: Pick<GetImageProps, "arrival">) {
  const job = arrival.job.value, { sending, progress } = arrival.upload;
  const failure = arrival.failure.value ?? arrival.upload.failure.value;
  return (
    <>
      {job && (
        <ul class="jobs form-field wide" aria-label={t("create.get_progress")}>
          <JobItem job={job} />
        </ul>
      )}
      {sending.value !== null && progress.value !== null && (
        <div class="form-field wide">
          <UploadProgress name={sending.value} progress={progress.value} />
        </div>
      )}
      <Flash tone="bad" title={t("create.get_failed")} failure={failure} class="form-field wide" />
      {arrival.arrived.value !== null && (
        <Flash tone="ok" class="form-field wide">
          {t("create.get_done", { name: oneLine(arrival.arrived.value, 120) })}
        </Flash>
      )}
    </>
  );
}

/** What to do where no pool runs that could take an image. What comes of it shows by itself. */
function NoPool({ pools }: CreateProps["options"]) {
  const start = (pool: string) => {
    api.startStoragePool({ pool }).catch((error: unknown) =>
      reportFailure({ sentence: t("create.start_pool_failed") }, error)
    );
  };
  return (
    <Flash
      tone="warn"
      class="form-field wide"
      title={t("create.no_pool")}
      actions={
        <>
          {pools.filter(({ active }) => !active).slice(0, 3).map(({ name }) => (
            <ActionLink
              key={name}
              class="button"
              href={poolHref(name)}
              enabled
              onAct={() => start(name)}
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
export function GetImage({ arrival, ways, ...parts }: GetImageProps) {
  const isHydrated = useHydrated();
  useEffect(() => {
    const ends = [arrival.follow(), stayWhileSending(arrival.upload)];
    return () => ends.forEach((end) => end());
  }, []);
  const [pool] = imagePools(parts.options);
  const offered = ways.flatMap((way) => {
    const href = WAYS[way].pageOf(pool);
    return href === undefined ? [] : [{ way, href, text: t(WAYS[way].open) }];
  });
  const open = arrival.way.value, busy = arrival.isBusy.value, { upload } = arrival;
  return (
    <>
      {pool === undefined && <NoPool {...parts.options} />}
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
                onClick={() => arrival.toggle(way)}
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
      {open !== null && ways.includes(open) && (
        <div
          class="image-way wide"
          role="group"
          aria-label={t(WAYS[open].open)}
          onKeyDown={(event) => {
            // Enter begins this, and not the VM around it.
            if (event.key !== "Enter" || !(event.target instanceof HTMLInputElement)) return;
            event.preventDefault();
            if (event.target.type !== "file") arrival.fetch(parts.images);
          }}
        >
          <div class="form-grid">
            <WayFields arrival={arrival} {...parts} />
            <Outcome arrival={arrival} />
          </div>
          <div class="form-actions">
            <button
              type="button"
              class="button"
              disabled={busy || (open === "upload" && upload.file.value === null) ||
                (open === "url" && arrival.url.value.trim() === "") ||
                (open === "catalog" && arrival.catalogId.value === "")}
              onClick={() => arrival.fetch(parts.images)}
            >
              {t(WAYS[open].start)}
            </button>
            {upload.sending.value !== null && (
              <button
                type="button"
                class="button"
                onClick={() => upload.cancel()}
              >
                {t("create.get_cancel")}
              </button>
            )}
          </div>
        </div>
      )}
      {open === null && <Outcome arrival={arrival} />}
    </>
  );
}
