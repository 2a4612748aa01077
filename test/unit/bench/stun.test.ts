import { describe, expect, it } from 'vitest';
import { allocateRequest, channelBindRequest, channelData, readAnswer, stunRequest } from '../../../bench/edge/stun.ts';

const transaction = Buffer.from('0102030405060708090a0b0c', 'hex');

describe('TURN messages', () => {
  it('ask for a UDP allocation', () => {
    expect(allocateRequest(transaction).toString('hex')).toBe(
      '000300082112a442' + '0102030405060708090a0b0c' + '0019000411000000',
    );
  });

  it('bind a channel to a peer, its address masked with the cookie', () => {
    // 127.0.0.1 port 4660: 0x7f000001 ^ 0x2112a442 and 0x1234 ^ 0x2112.
    expect(channelBindRequest(transaction, { ip: '127.0.0.1', port: 0x1234 }).toString('hex')).toBe(
      '000900142112a442' + '0102030405060708090a0b0c' + '000c000440000000' + '001200080001' + '3326' + '5e12a443',
    );
  });

  it('carry a payload with the number of its channel and its length', () => {
    expect(channelData(Buffer.from('abc')).toString('hex')).toBe('40000003616263');
  });

  it('are answered by success or error of the same transaction only', () => {
    const answer = (type: string): Buffer => Buffer.from(`${type}00002112a442${transaction.toString('hex')}`, 'hex');
    expect(readAnswer(answer('0103'), stunRequest.allocate, transaction)).toBe('success');
    expect(readAnswer(answer('0113'), stunRequest.allocate, transaction)).toBe('error');
    expect(readAnswer(answer('0109'), stunRequest.allocate, transaction)).toBeNull();
    expect(readAnswer(answer('0103'), stunRequest.allocate, Buffer.alloc(12))).toBeNull();
    expect(readAnswer(Buffer.from('short'), stunRequest.allocate, transaction)).toBeNull();
  });
});
