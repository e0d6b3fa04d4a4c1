/** What a region answers when it is not simply the record to go on with. */
export const REGION_RESULT = {
  /** Go on at the address in scratch.TARGET. */
  TARGET: 0,
  /** Set in a record's address: run that instruction by its own handler, then go on. */
  INTERPRET: 1,
  /** The driver has something to do; everything is in memory. */
  LEAVE: 2,
} as const
