/** What a merge of two legs has counted. */
export class MergeCounters {
  /** Came over the other leg too, or after their turn. */
  duplicates = 0;
  /** Missing on one leg, and brought by the other. */
  recovered = 0;
  /** Came over neither leg in time. */
  lost = 0;
  /** The output changed from one leg to the other because the first had stopped. */
  switches = 0;
}
