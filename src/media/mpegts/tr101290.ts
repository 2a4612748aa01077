/** The checks of ETSI TR 101 290 §5.2 that can be made on packets over IP; each counts errors since the start. */
export class Tr101290Counters {
  ts_sync_loss = 0;
  sync_byte_errors = 0;
  pat_errors = 0;
  pmt_errors = 0;
  continuity_errors = 0;
  pid_errors = 0;
  transport_errors = 0;
  crc_errors = 0;
  pcr_repetition_errors = 0;
  pcr_discontinuity_errors = 0;
}
