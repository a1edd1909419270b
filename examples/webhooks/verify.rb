require "openssl"

# Checks the webhook- headers (Standard Webhooks). Give the raw body, and all secrets that are valid now.
def verify_webhook(secrets, headers, body, now = Time.now.to_i)
  headers = headers.transform_keys(&:downcase)
  id, timestamp = headers.fetch("webhook-id", ""), headers.fetch("webhook-timestamp", "")
  return false if id.empty? || !timestamp.match?(/\A\d+\z/) || (now - timestamp.to_i).abs > 300

  secrets.any? do |secret|
    key = secret.delete_prefix("whsec_").unpack1("m")
    next false if key.empty? # anybody could sign with it

    digest = OpenSSL::HMAC.digest("SHA256", key, "#{id}.#{timestamp}.".b + body.b)
    want = "v1," + [digest].pack("m0")
    headers.fetch("webhook-signature", "").split.any? { |one| OpenSSL.secure_compare(one, want) }
  end
end

# Checks X-Signature, which has no timestamp. Prefer verify_webhook.
def verify_x_signature(secrets, signature, body)
  secrets.any? do |secret|
    next false if secret.delete_prefix("whsec_").empty? # anybody could sign with it

    OpenSSL.secure_compare(OpenSSL::HMAC.hexdigest("SHA256", secret, body), signature)
  end
end
