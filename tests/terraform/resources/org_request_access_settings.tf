variable "enabled" {
  type    = bool
  default = true
}

resource "mixpanel_org_request_access_settings" "this" {
  settings = jsonencode({ enabled = var.enabled })
}
