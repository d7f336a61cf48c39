import type { ComponentChildren } from "preact";
import type { CatalogImage, Image } from "../../lib/contract/mod.ts";
import { byArchitecture, initialsOf, isFree } from "../../lib/image/images.ts";
import { newVmHref } from "../../lib/image/new_vm_href.ts";
import { formatBytes } from "../../lib/text/quantity.ts";
import { oneLine } from "../../lib/text/text.ts";
import { images as texts } from "../../lib/i18n/en/images.ts";
import { type PlainKeyOf, textsOf } from "../../lib/i18n/mod.ts";
import { Fact } from "../kit/Fact.tsx";
import { Icon } from "../kit/Icon.tsx";

const { t } = textsOf(texts);

/** Props of {@link CatalogCards}. */
export interface CatalogCardsProps {
  images: readonly CatalogImage[];
  /** Id of an image → the one that is here already. */
  have: Readonly<Record<string, Image>>;
  /** The host's architecture: its images come first. */
  arch: string | undefined;
  /** Whether anything can be downloaded now. */
  enabled: boolean;
  mayCreate: boolean;
}

type CardProps = Omit<CatalogCardsProps, "images" | "arch"> & { image: CatalogImage };

/** Facts of an image before it is downloaded. */
const FACTS: readonly [PlainKeyOf<typeof texts>, (image: CatalogImage) => ComponentChildren][] = [
  ["images.size", ({ sizeBytes }) => sizeBytes !== undefined && formatBytes(sizeBytes)],
  ["images.published", ({ published }) => published && <time dateTime={published}>{published}</time>],
  ["images.user", ({ user }) => user && <span class="mono">{user}</span>],
  ["images.from", ({ url }) => <span title={oneLine(url)}>{URL.parse(url)?.host ?? ""}</span>],
];

function Card({ image, have, enabled, mayCreate }: CardProps) {
  const { id, name, arch } = image, held = have[id];
  const shown = oneLine(`${name} ${arch}`, 80);
  return (
    <li class="catalog-card" data-catalog={id}>
      <span class="catalog-mark" aria-hidden="true">{initialsOf(name)}</span>
      <h3>
        <bdi>{oneLine(name, 80)}</bdi>
      </h3>
      <p>{arch}</p>
      <dl>
        {FACTS.map(([label, fact]) => {
          const value = fact(image);
          return value && <Fact key={label} label={t(label)}>{value}</Fact>;
        })}
      </dl>
      <div class="catalog-verbs">
        {held === undefined
          ? (
            <button
              type="submit"
              class="button"
              name="catalogId"
              value={id}
              disabled={!enabled}
              aria-label={t("images.verb_of", { verb: t("images.download"), name: shown })}
            >
              {t("images.download")}
            </button>
          )
          : (
            <>
              <span class="image-have">
                <Icon name="check" /> {t("images.have", { pool: oneLine(held.pool, 40) })}
              </span>
              {mayCreate && isFree(held) && (
                <a
                  class="button"
                  href={newVmHref(held, "cloud")}
                  aria-label={t("images.new_vm_from", { name: shown })}
                >
                  {t("images.new_vm")}
                </a>
              )}
            </>
          )}
      </div>
    </li>
  );
}

/** The catalogue, each image with a button that downloads it: the cards are part of a form. */
export function CatalogCards({ images, arch, ...rest }: CatalogCardsProps) {
  const { fitting, other } = byArchitecture(images, arch);
  const cards = (list: readonly CatalogImage[]) => (
    <ul class="catalog-cards">
      {list.map((image) => <Card key={image.id} image={image} {...rest} />)}
    </ul>
  );
  return (
    <>
      {fitting.length > 0 && cards(fitting)}
      {other.length > 0 && (
        <details class="catalog-other" open={fitting.length === 0}>
          <summary>{t("images.catalog_other")}</summary>
          {cards(other)}
        </details>
      )}
    </>
  );
}
