variable "role" { default = "analyst" }

resource "mixpanel_user_project_role" "this" {
  key     = "bo@example.com"
  payload = jsonencode({ users = ["bo@example.com"], projects = [1234567], role = var.role })
}
