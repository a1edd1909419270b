<?php

// Checks the webhook- headers (Standard Webhooks). Give getallheaders(), the raw body from php://input, and all secrets
// that are valid now.
function verify_webhook(array $secrets, array $headers, string $body, ?int $now = null): bool
{
    $headers = array_change_key_case($headers, CASE_LOWER);
    $id = $headers['webhook-id'] ?? '';
    $timestamp = $headers['webhook-timestamp'] ?? '';
    if ($id === '' || !ctype_digit($timestamp) || abs(($now ?? time()) - (int) $timestamp) > 300) {
        return false;
    }
    foreach ($secrets as $secret) {
        $key = base64_decode(preg_replace('/^whsec_/', '', $secret));
        if ($key === '') {
            continue; // with an empty key anybody could sign
        }
        $want = 'v1,' . base64_encode(hash_hmac('sha256', "$id.$timestamp.$body", $key, true));
        foreach (explode(' ', $headers['webhook-signature'] ?? '') as $one) {
            if (hash_equals($want, $one)) {
                return true;
            }
        }
    }
    return false;
}

// Checks X-Signature, which has no timestamp. Prefer verify_webhook.
function verify_x_signature(array $secrets, string $signature, string $body): bool
{
    foreach ($secrets as $secret) {
        if (preg_replace('/^whsec_/', '', $secret) === '') {
            continue; // anybody could sign with it
        }
        if (hash_equals(hash_hmac('sha256', $body, $secret), $signature)) {
            return true;
        }
    }
    return false;
}
