/** Who a member is in its group: renewed with every join. */
export interface Identity {
  readonly memberId: string;
  readonly session: string;
}
