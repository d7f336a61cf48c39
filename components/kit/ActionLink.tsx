import type { ComponentChildren } from "preact";

/** Props of {@link ActionLink}. */
export interface ActionLinkProps {
  class: string;
  /** Address without script. */
  href: string;
  enabled: boolean;
  /** Action in place of following the link; without it the link is followed. */
  onAct?: () => void;
  "aria-label"?: string;
  title?: string | undefined;
  /** `menuitem` in a menu. */
  role?: "menuitem";
  "data-danger"?: "";
  children: ComponentChildren;
}

/** A link that can be switched off: still a link to screen readers, that says it cannot be used now. */
export function ActionLink({ href, enabled, onAct, role, children, ...shown }: ActionLinkProps) {
  return (
    <a
      {...shown}
      href={enabled ? href : undefined}
      role={role ?? (enabled ? undefined : "link")}
      aria-disabled={enabled ? undefined : "true"}
      {...(onAct && {
        onClick: (event: Event) => {
          event.preventDefault();
          if (enabled) onAct();
        },
      })}
    >
      {children}
    </a>
  );
}
