<?php
// Runs the verifier on the vectors: check.php FOLDER VECTORS. Prints one JSON list of [webhook, x_signature].
require $argv[1] . '/verify.php';
$results = [];
foreach (json_decode(file_get_contents($argv[2]), true)['vectors'] as $one) {
    $results[] = [
        verify_webhook($one['secrets'], $one['headers'], $one['body'], $one['now']),
        verify_x_signature($one['secrets'], $one['headers']['X-Signature'] ?? '', $one['body']),
    ];
}
echo json_encode($results), "\n";
