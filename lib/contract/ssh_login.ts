/** How people name a user and a host for SSH. */

/** Pattern of `root@kvm2`, `ann@[fd00::2]:2222`. */
export const SSH_LOGIN =
  "^[A-Za-z_][A-Za-z0-9._-]{0,63}@(\\[[0-9A-Fa-f:.]{2,45}\\]|[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?)(:[0-9]{1,5})?$";
