variable "minutes" {
  type    = number
  default = 30
}

resource "mixpanel_org_session_settings" "this" {
  settings = jsonencode({ timeout_minutes = var.minutes })
}
